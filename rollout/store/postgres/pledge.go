package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/rollout"
)

// Invariant: no exposure above the floor of a pledge that holds ever comes into
// force. Whoever pledges does so under the fence, so the mark stays as it is, and
// no floor is below it; whoever raises the mark waits for the fence, and then sees
// every pledge.
const (
	// makePledge tells the leader of a new floor, which may wait for it. A pledge
	// that was given up and arrives late changes nothing: its floor may be higher
	// than the one that is kept to by now.
	makePledge = `WITH before AS (
			SELECT floor FROM sluice_pledges WHERE owner = $1 AND migration = $2 AND expires > clock_timestamp()
		), made AS (
			INSERT INTO sluice_pledges AS p (owner, migration, floor, expires, number)
			SELECT $1, $2, greatest($3, mark), clock_timestamp() + $4, $6 FROM sluice_control WHERE migration = $2 AND least <= $7
			ON CONFLICT (owner) DO UPDATE SET migration = excluded.migration, floor = excluded.floor, expires = excluded.expires, number = excluded.number
			WHERE p.number < excluded.number
			RETURNING floor
		) SELECT pg_notify('` + channel + `', $5) FROM made LEFT JOIN before ON true WHERE made.floor IS DISTINCT FROM before.floor`

	dropPledges = `DELETE FROM sluice_pledges WHERE owner = ANY($1)`

	// readFloor is All while claims of another migration hold their retries.
	readFloor = `SELECT coalesce((SELECT CASE WHEN c.foreign_until > ` + nowMilli + ` THEN 1000000 ELSE p.floor END
		FROM sluice_pledges AS p, sluice_control AS c WHERE p.owner = $1 AND p.migration = c.migration), 1000000)`
)

// transaction is statements that become one, in one round trip.
type transaction struct{ statements pgx.Batch }

func (t *transaction) add(sql string, arguments ...any) {
	if t.statements.Len() == 0 {
		t.statements.Queue(begin)
	}
	t.statements.Queue(sql, arguments...)
}

// run commits the statements, and reads how things then stand.
func (t *transaction) run(ctx context.Context, pool *pgxpool.Pool, pledge rollout.Pledge, owner string, now *standing) error {
	statements := t.statements.Len()
	t.add(readControl)
	t.add(readFloor, owner)
	t.add(commit)
	answers := pool.SendBatch(ctx, &t.statements)
	var err error
	for range statements {
		if _, err = answers.Exec(); err != nil {
			_ = answers.Close() // fails with the same error
			return err
		}
	}
	if now.control, err = scanControl(answers.QueryRow()); err == nil {
		err = answers.QueryRow().Scan(&now.floor)
	}
	if err == nil {
		_, err = answers.Exec()
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	if pledge.For <= 0 {
		now.floor = rollout.All
	}
	return err
}

// queuePledge queues what makes the pledge, and ends those that are to end.
func (s *Store) queuePledge(t *transaction, owner string, pledge rollout.Pledge) {
	gone := append([]string{}, pledge.Succeeds...)
	if pledge.For <= 0 {
		t.add(dropPledges, append(gone, owner))
		return
	}
	t.add(dropPledges, gone)
	t.add(makePledge, owner, s.cfg.Migration, pledge.Floor, pledge.For, s.self, s.pledges.Add(1), layout())
}

// pledge makes the owner's pledge, or renews it.
func (s *Store) pledge(ctx context.Context, owner string, pledge rollout.Pledge, now *standing) error {
	if pledge.For <= 0 && len(pledge.Succeeds) == 0 {
		return nil
	}
	t := transaction{}
	t.add(fence)
	s.queuePledge(&t, owner, pledge)
	return t.run(ctx, s.pool, pledge, owner, now)
}

// Leave ends the owner's pledge: it sends nothing without a claim any more, and all
// that it sent is on record.
func (s *Store) Leave(ctx context.Context, owner string) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return s.retry(ctx, func() error {
		_, err := s.pool.Exec(ctx, dropPledges, []string{owner})
		return err
	})
}
