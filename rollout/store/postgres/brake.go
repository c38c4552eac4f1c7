package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// brakeSchema is of a table that came later; see answersSchema. Its row is what
// operators want of the brake, and the control row's brake is what is in force: at
// once if that is lower, else once no pledge stands in the way.
const brakeSchema = `
CREATE TABLE IF NOT EXISTS sluice_brake (
	one    boolean PRIMARY KEY DEFAULT true CHECK (one),
	wanted integer NOT NULL,
	actor  text NOT NULL,
	reason text NOT NULL,
	at     timestamptz NOT NULL
)`

// Invariant: the brake in force is never above the one that is wanted. Who changes
// what is wanted keeps the control table from whoever puts a policy in force, who
// reads it only after that.
const (
	// holdBrake waits for the batches whose fence stands, and for a policy that is
	// being put in force; those that come later wait for it.
	holdBrake = `LOCK TABLE sluice_control IN SHARE ROW EXCLUSIVE MODE`

	// wantBrake never raises what is wanted, but by a release.
	wantBrake = `INSERT INTO sluice_brake AS b (wanted, actor, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (one) DO UPDATE SET wanted = excluded.wanted, actor = excluded.actor, reason = excluded.reason, at = excluded.at
		WHERE excluded.wanted <= b.wanted OR excluded.wanted = 1000000`

	lowerBrake = `UPDATE sluice_control SET policy_epoch = policy_epoch + 1, brake = $1 WHERE brake > $1`

	announce = `SELECT pg_notify('` + channel + `', $1)`

	readBrake = `SELECT wanted, actor, reason, at FROM sluice_brake`

	// wantedBrake is part of statements. Without a row the brake stays where it is.
	wantedBrake = `coalesce((SELECT wanted FROM sluice_brake), brake)`
)

// SetBrake records what an operator wants of the brake, and returns what is wanted
// then: not what was asked for, if that is above a lower brake and no release. A
// lowering is in force when SetBrake returns, in a new epoch, so that nothing
// commits above it any more; it waits for no pledge and no leader, and at most
// Timeout for commits under way. A release comes into force by the leader's Offers.
//
// If SetBrake fails the change may or may not have been made: set it again.
func (s *Store) SetBrake(ctx context.Context, brake rollout.Brake) (rollout.Brake, error) {
	if err := s.usable(ctx); err != nil {
		return rollout.Brake{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now rollout.Brake
	err := s.unblocked(ctx, func() error {
		t := transaction{}
		t.add(holdBrake)
		t.add(wantBrake, brake.Exposure, brake.Actor, brake.Reason, brake.At)
		t.add(lowerBrake, brake.Exposure)
		t.add(announce, "") // this Store's own gateway has to offer too
		var err error
		now, err = t.runBrake(ctx, s)
		return err
	})
	if err != nil {
		s.lost(err)
		return rollout.Brake{}, fmt.Errorf("%w: set the brake: %w", ErrAway, err)
	}
	return now, nil
}

// runBrake commits the statements, and returns the brake that is wanted then.
func (t *transaction) runBrake(ctx context.Context, s *Store) (rollout.Brake, error) {
	statements := t.statements.Len()
	t.add(readBrake)
	t.add(commit)
	answers := s.pool.SendBatch(ctx, &t.statements)
	for range statements {
		if _, err := answers.Exec(); err != nil {
			_ = answers.Close() // fails with the same error
			return rollout.Brake{}, err
		}
	}
	now, err := scanBrake(answers.QueryRow())
	if err == nil {
		_, err = answers.Exec()
	}
	return now, errors.Join(err, answers.Close())
}

// Brake returns what is wanted of the brake.
func (s *Store) Brake(ctx context.Context) (rollout.Brake, error) {
	if err := s.usable(ctx); err != nil {
		return rollout.Brake{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now rollout.Brake
	err := s.retry(ctx, func() error {
		var err error
		now, err = scanBrake(s.pool.QueryRow(ctx, readBrake))
		return err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return rollout.Brake{Exposure: rollout.All}, nil
	case err != nil:
		s.lost(err)
		return rollout.Brake{}, fmt.Errorf("%w: read the brake: %w", ErrAway, err)
	}
	return now, nil
}

func scanBrake(from pgx.Row) (rollout.Brake, error) {
	var b rollout.Brake
	err := from.Scan(&b.Exposure, &b.Actor, &b.Reason, &b.At)
	b.At = b.At.UTC()
	return b, err
}
