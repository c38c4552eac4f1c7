package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// channel is where a changed policy is announced, by the Store that changed it.
const channel = "sluice_policy"

const (
	// lead makes the owner leader, or keeps it, unless somebody else's term runs.
	lead = `INSERT INTO sluice_leader AS l (owner, expires) VALUES ($1, clock_timestamp() + $2)
		ON CONFLICT (one) DO UPDATE SET owner = excluded.owner, expires = excluded.expires
		WHERE l.owner = excluded.owner OR l.expires <= clock_timestamp()`

	// keepTerm holds the leader's row, so that nobody else becomes leader before
	// the transaction ends.
	keepTerm = `SELECT FROM sluice_leader WHERE owner = $1 AND expires > clock_timestamp() FOR UPDATE`

	enact = `WITH changed AS (
			UPDATE sluice_control SET epoch = epoch + 1, flag = $3, plan = $4, brake = $5, shadow = $6, kill = $7, mark = greatest(mark, $8)
			WHERE migration = $2 AND (flag, plan, brake, shadow, kill) IS DISTINCT FROM ($3, $4, $5, $6, $7)
			AND EXISTS (SELECT FROM sluice_leader WHERE owner = $1 AND expires > clock_timestamp())
			RETURNING epoch
		) SELECT pg_notify('` + channel + `', $9) FROM changed`
)

// Offer says what the owner's own flags and brake allow (want's Epoch does not
// matter). If the owner is, or can now become, the leader, that is the policy in
// force when Offer returns, in a new epoch if anything differs. It returns the
// policy in force and the mark, the highest exposure that ever was in force in
// this migration. A lower policy waits at most Timeout for commits under way. If it fails the policy may or may not have changed: keep the
// lower one and offer again.
func (s *Store) Offer(ctx context.Context, owner string, want rollout.Policy) (inForce rollout.Policy, mark rollout.Exposure, err error) {
	if err := s.usable(ctx); err != nil {
		return rollout.Policy{}, 0, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now control
	err = s.unblocked(ctx, func() error {
		var leads bool
		if now, leads, err = s.stand(ctx, owner); err != nil || !leads || now.holds(want) {
			return err
		}
		now, err = s.enact(ctx, owner, want)
		return err
	})
	switch {
	case err != nil:
		return rollout.Policy{}, 0, fmt.Errorf("%w: offer a policy: %w", ErrAway, err)
	case now.migration != s.cfg.Migration:
		return rollout.Policy{}, 0, s.foreign(now.migration)
	}
	return now.policy, now.mark, nil
}

// stand reads the control row without a lock, and tells whether the owner leads.
func (s *Store) stand(ctx context.Context, owner string) (control, bool, error) {
	batch := &pgx.Batch{}
	batch.Queue(lead, owner, s.cfg.LeaderTTL)
	batch.Queue(readControl)
	answers := s.pool.SendBatch(ctx, batch)
	tag, err := answers.Exec()
	if err != nil {
		_ = answers.Close() // fails with the same error
		return control{}, false, err
	}
	now, err := scanControl(answers.QueryRow())
	if closed := answers.Close(); err == nil {
		err = closed
	}
	return now, tag.RowsAffected() == 1 && now.migration == s.cfg.Migration, err
}

// enact puts want in force if the owner still leads, and announces it. Its UPDATE
// waits for the batches whose fence stands, and those that come later wait for it.
func (s *Store) enact(ctx context.Context, owner string, want rollout.Policy) (control, error) {
	batch := &pgx.Batch{}
	batch.Queue(begin)
	batch.Queue(keepTerm, owner)
	batch.Queue(enact, owner, s.cfg.Migration, want.Flag, want.Plan, want.Brake, want.Shadow, want.Kill, want.Exposure(), s.self)
	batch.Queue(readControl)
	batch.Queue(commit)
	answers := s.pool.SendBatch(ctx, batch)
	for range 3 {
		if _, err := answers.Exec(); err != nil {
			_ = answers.Close() // fails with the same error
			return control{}, err
		}
	}
	now, err := scanControl(answers.QueryRow())
	if err == nil {
		_, err = answers.Exec()
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	return now, err
}
