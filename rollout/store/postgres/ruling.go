package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// Invariant: the plan in force is never above the desk's. Who lowers the desk's keeps
// the control table from whoever puts a policy in force, who reads it only after
// that: see brake.go.
const (
	lowerPlan = `UPDATE sluice_control SET policy_epoch = policy_epoch + 1, plan = $1 WHERE plan > $1`

	// limitBrake is wantBrake for rulings, which release nothing.
	limitBrake = `INSERT INTO sluice_brake AS b (wanted, actor, reason, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (one) DO UPDATE SET wanted = excluded.wanted, actor = excluded.actor, reason = excluded.reason, at = excluded.at
		WHERE excluded.wanted <= b.wanted`

	keepDesk = `UPDATE sluice_desk SET state = $1, plan = $2`

	addPages = `INSERT INTO sluice_pages (subject, body)
		SELECT subject, body FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS p (subject, body, place) ORDER BY place`

	// ruledPlan is part of statements.
	ruledPlan = `coalesce((SELECT plan FROM sluice_desk), 1000000)`
)

// enter commits what was ruled.
func (s *Store) enter(ctx context.Context, now *sitting, r rollout.Ruling) error {
	if r.Plan > rollout.All {
		return fmt.Errorf("a plan of %d is above %d", r.Plan, rollout.All)
	}
	batch := &pgx.Batch{}
	if r.Plan < now.plan || r.Brake != nil {
		batch.Queue(holdBrake)
		batch.Queue(lowerPlan, r.Plan)
	}
	if b := r.Brake; b != nil {
		batch.Queue(limitBrake, b.Exposure, b.Actor, b.Reason, b.At)
		batch.Queue(lowerBrake, b.Exposure)
	}
	if r.Plan != now.plan || r.Brake != nil {
		batch.Queue(announce, "") // this Store's own gateway has to offer too
	}
	batch.Queue(keepDesk, r.State, r.Plan)
	if len(r.Pages) > 0 {
		subjects, bodies := make([]string, len(r.Pages)), make([][]byte, len(r.Pages))
		for i, p := range r.Pages {
			subjects[i], bodies[i] = p.Subject, append([]byte{}, p.Body...)
		}
		batch.Queue(addPages, subjects, bodies)
	}
	batch.Queue(commit)
	return now.conn.SendBatch(ctx, batch).Close()
}

// Pages returns the newest pages about the subject, at most limit, the newest first.
func (s *Store) Pages(ctx context.Context, subject string, limit int) ([]rollout.Page, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var pages []rollout.Page
	err := s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, `SELECT body FROM sluice_pages WHERE subject = $1 ORDER BY number DESC LIMIT $2`, subject, max(limit, 0))
		if err != nil {
			return err
		}
		pages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (rollout.Page, error) {
			p := rollout.Page{Subject: subject}
			return p, row.Scan(&p.Body)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read pages: %w", ErrAway, err)
	}
	return pages, nil
}

// Ticks are forgotten beyond so many, and after a day; other pages are not.
const (
	forgetTicks = `DELETE FROM sluice_pages WHERE subject = 'ticks' AND (at < clock_timestamp() - interval '24 hours'
		OR number <= (SELECT number FROM sluice_pages WHERE subject = 'ticks' ORDER BY number DESC OFFSET 100000 LIMIT 1))`

	forgetTicksEvery = 5 * time.Minute
)

// tidy keeps the desk's tables small.
func (s *Store) tidy(ticks bool) error {
	ctx, cancel := s.bounded(s.stop)
	defer cancel()
	if _, err := s.pool.Exec(ctx, foldCounts, foldAt); err != nil || !ticks {
		return err
	}
	_, err := s.pool.Exec(ctx, forgetTicks)
	return err
}
