package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/rollout"
)

// deskSchema is of tables that came later; see answersSchema. The desk's row is the
// state and the plan that the last ruling left; before the first there is no state
// and the plan is All. A page's number grows.
const deskSchema = `
CREATE TABLE IF NOT EXISTS sluice_desk (
	one   boolean PRIMARY KEY DEFAULT true CHECK (one),
	state bytea,
	plan  integer NOT NULL DEFAULT 1000000
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0,
	toast.autovacuum_vacuum_threshold = 200, toast.autovacuum_vacuum_scale_factor = 0);
INSERT INTO sluice_desk (one) SELECT true WHERE NOT EXISTS (SELECT FROM sluice_desk) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS sluice_pages (
	subject text COLLATE "C" NOT NULL,
	number  bigint GENERATED ALWAYS AS IDENTITY,
	at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	body    bytea NOT NULL,
	PRIMARY KEY (subject, number)
)`

const (
	readDesk = `SELECT state, plan FROM sluice_desk WHERE one`
	lockDesk = readDesk + ` FOR UPDATE`
)

// Decide calls rule once with what is on record and what was counted since the last
// Decide, if owner is, or can now become, the leader; Offer knows the same leader and
// the same term. It stores the ruling at once: a lower plan, and Ruling.Brake, which
// only lowers, are in force when Decide returns; nothing commits above them any more.
// A higher plan comes into force by the leader's Offers. If owner does not lead, led
// is false and rule was not called.
//
// If rule fails nothing is stored, and its error is returned as it is. After any
// other error the ruling may be stored or not. rule must answer within Timeout and
// not use the store: it holds all other rulings up, and Offers.
func (s *Store) Decide(ctx context.Context, owner string, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error) {
	return s.rule(ctx, &chaired{owner: owner}, rule)
}

// Amend is Decide for what an operator does, through any gateway, leader or not: it
// takes no counts, and shows none.
func (s *Store) Amend(ctx context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error {
	_, err := s.rule(ctx, nil, rule)
	return err
}

// chaired is who decides; nil for an amendment.
type chaired struct{ owner string }

// sitting is a transaction in which the desk's row is locked.
type sitting struct {
	conn    *pgxpool.Conn
	leads   bool // or there is no need to
	control control
	plan    rollout.Exposure
	session rollout.Session
}

// rule has three parts: the locks and what is on record, the caller's rule, and what
// it ruled. Only the first is repeated.
func (s *Store) rule(ctx context.Context, who *chaired, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now *sitting
	err = s.unblocked(ctx, func() (err error) {
		now, err = s.sit(ctx, who)
		return err
	})
	if err != nil {
		s.lost(err)
		return false, fmt.Errorf("%w: read what was decided: %w", ErrAway, err)
	}
	defer s.rise(now.conn) // also if rule panics
	if !now.leads {
		return false, nil
	}
	if err := s.mine(&now.control); err != nil {
		s.lost(err)
		return false, err
	}
	ruling, err := rule(now.session)
	if err != nil {
		return true, err
	}
	if err := s.enter(ctx, now, ruling); err != nil {
		s.lost(err)
		if timedOut(err) { // or the next ruling would wait as long
			err = errors.Join(err, s.evict(ctx))
		}
		return true, fmt.Errorf("%w: store what was decided: %w", ErrAway, err)
	}
	return true, nil
}

// sit takes the locks. Who does not lead takes none.
func (s *Store) sit(ctx context.Context, who *chaired) (_ *sitting, err error) {
	now := &sitting{leads: true}
	if now.conn, err = s.pool.Acquire(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.rise(now.conn)
		}
	}()
	batch := &pgx.Batch{}
	batch.Queue(begin)
	if who != nil {
		batch.Queue(lead, who.owner, s.cfg.LeaderTTL).QueryRow(func(row pgx.Row) error { return row.Scan(&now.leads) })
	}
	if err = now.conn.SendBatch(ctx, batch).Close(); err != nil || !now.leads {
		return now, err
	}
	batch = &pgx.Batch{}
	queueSession(batch, lockDesk, now)
	if who != nil {
		queueCounts(batch, takeCounts, now)
	}
	return now, now.conn.SendBatch(ctx, batch).Close()
}

// queueSession queues what reads all but the counts.
func queueSession(batch *pgx.Batch, desk string, now *sitting) {
	batch.Queue(desk).QueryRow(func(row pgx.Row) error { return row.Scan(&now.session.State, &now.plan) })
	batch.Queue(readControl).QueryRow(func(row pgx.Row) error {
		c, err := scanControl(row)
		now.control, now.session.Now, now.session.Policy = c, c.now, c.policy
		return err
	})
	batch.Queue(readBrake).QueryRow(func(row pgx.Row) (err error) {
		now.session.Brake, err = scanBrake(row)
		if errors.Is(err, pgx.ErrNoRows) {
			now.session.Brake, err = rollout.Brake{Exposure: rollout.All}, nil
		}
		return err
	})
}

func queueCounts(batch *pgx.Batch, counts string, now *sitting) {
	batch.Queue(counts).Query(func(rows pgx.Rows) (err error) {
		now.session.Counts, err = scanCounts(rows)
		return err
	})
}

// rise gives the connection back. A transaction that was not committed is nothing.
func (s *Store) rise(conn *pgxpool.Conn) {
	defer conn.Release() // which closes it if the transaction is still there
	if pg := conn.Conn().PgConn(); pg.IsClosed() || pg.TxStatus() == 'I' {
		return
	}
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	_, _ = conn.Exec(ctx, `ROLLBACK`)
}

// Look returns what the next Decide would show to its rule, whoever leads. It changes
// nothing, and waits for nobody.
func (s *Store) Look(ctx context.Context) (rollout.Session, error) {
	if err := s.usable(ctx); err != nil {
		return rollout.Session{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now sitting
	err := s.retry(ctx, func() error {
		now = sitting{}
		batch := &pgx.Batch{}
		batch.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
		queueSession(batch, readDesk, &now)
		queueCounts(batch, readCounts, &now)
		batch.Queue(commit)
		return s.pool.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		s.lost(err)
		return rollout.Session{}, fmt.Errorf("%w: look at what was decided: %w", ErrAway, err)
	}
	return now.session, s.mine(&now.control)
}
