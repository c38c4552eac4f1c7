package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// firstLayout is the first that was released: all tables of schema.go and beside it.
const firstLayout = 2

// step brings the tables from one layout to the next.
type step struct {
	// sql changes the tables or what stands in them; empty if only its meaning
	// changes. All gateways wait for it, and it has to end within Config.Timeout: no
	// table is to be written anew while it is large.
	sql string
	// fences: builds that do not know the new layout may not use the tables any more.
	// Without it they go on beside newer ones, and after them.
	fences bool
}

// steps are all there are, in order: the first leads from firstLayout to the next. A
// step that was released is never changed. What comes after it is one more entry.
func steps() []step {
	return []step{
		// From here on the control row says which builds may go on, and each of them
		// looks. Those of before do not, so the column that every commit, offer and
		// lowering of theirs reads has another name: all of these fail, and nothing is
		// stored.
		{fences: true, sql: `ALTER TABLE sluice_control RENAME COLUMN epoch TO policy_epoch;
			ALTER TABLE sluice_control ADD COLUMN least integer NOT NULL DEFAULT 3`},
	}
}

// layout is the one of this build.
func layout() int { return firstLayout + len(steps()) }

var errLayout = errors.New("the claims tables have a layout that this build of sluice cannot use")

// bringForward makes the tables this build's, in the transaction that holds
// schemaLock. It waits for whatever is being stored, and whatever comes later finds
// the new layout: with a step that fences, in a new epoch, so that nothing commits
// that was read before it.
func bringForward(ctx context.Context, tx pgx.Tx) error {
	var found int
	if err := tx.QueryRow(ctx, `SELECT layout FROM sluice_control WHERE one`).Scan(&found); err != nil {
		return err
	}
	switch {
	case found == layout():
		return nil
	case found > layout():
		return mayGoOn(ctx, tx, found)
	}
	if err := known(found); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE sluice_control IN ACCESS EXCLUSIVE MODE`); err != nil {
		return err
	}
	return takeSteps(ctx, tx, found)
}

// known fails for a layout that no step leads from.
func known(found int) error {
	if found < firstLayout {
		return fmt.Errorf("%w: layout %d was never released (the first was %d): when no claim is open, drop the tables sluice_*", errLayout, found, firstLayout)
	}
	return nil
}

// mayGoOn reports, as an error, that a newer build has shut this one out.
func mayGoOn(ctx context.Context, tx pgx.Tx, found int) error {
	var least int
	if err := tx.QueryRow(ctx, `SELECT least FROM sluice_control WHERE one`).Scan(&least); err != nil {
		return err
	}
	if least > layout() {
		return tooOld(least)
	}
	return nil
}

func takeSteps(ctx context.Context, tx pgx.Tx, found int) error {
	least := 0
	for i, step := range steps()[found-firstLayout:] {
		if step.fences {
			least = found + i + 1
		}
		if step.sql == "" {
			continue
		}
		if _, err := tx.Exec(ctx, step.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("from layout %d to %d: %w", found+i, found+i+1, err)
		}
	}
	_, err := tx.Exec(ctx, `UPDATE sluice_control SET layout = $1, least = greatest(least, $2),
		policy_epoch = policy_epoch + CASE WHEN $2 > 0 THEN 1 ELSE 0 END`, layout(), least)
	if err == nil {
		_, err = tx.Exec(ctx, announce, "") // the others look at once
	}
	return err
}

func tooOld(least int) error {
	return fmt.Errorf("%w: a newer one has changed them, and builds below layout %d may not use them any more; this one knows layout %d: run the newer build, or restore the database as it was before it", errLayout, least, layout())
}

// Check fails with what would keep Open from succeeding until somebody changes the
// configuration or the database, or with ErrAway if that cannot be found out now. It
// changes nothing.
func Check(ctx context.Context, cfg Config) error {
	pool, err := cfg.pool(ctx)
	if err != nil {
		return fmt.Errorf("claims database: %w", err)
	}
	defer pool.Close()
	s := &Store{cfg: cfg, pool: pool}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err = s.checkSessions(ctx); err == nil {
		err = s.checkLayout(ctx)
	}
	switch {
	case err == nil:
		return nil
	case !final(err):
		return fmt.Errorf("claims database: %s: %w: %w", where(pool), ErrAway, err)
	}
	return fmt.Errorf("claims database: %s: %w", where(pool), err)
}

func (s *Store) checkLayout(ctx context.Context) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var there bool
		err := tx.QueryRow(ctx, `SELECT to_regclass('sluice_control') IS NOT NULL`).Scan(&there)
		if err != nil || !there {
			return err
		}
		var found int
		if err := tx.QueryRow(ctx, `SELECT layout FROM sluice_control WHERE one`).Scan(&found); err != nil {
			return err
		}
		if found <= layout() {
			return known(found)
		}
		return mayGoOn(ctx, tx, found)
	})
}

// mine returns why this Store must not use what is in the database, or nil.
func (s *Store) mine(c *control) error {
	switch {
	case c.least > layout():
		return fmt.Errorf("%w: %w", ErrAway, tooOld(c.least))
	case c.migration != s.cfg.Migration:
		return s.foreign(c.migration)
	}
	return nil
}
