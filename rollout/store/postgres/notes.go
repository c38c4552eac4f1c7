package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// notesSchema is made beside the claims. A sample's number grows.
const notesSchema = `
CREATE TABLE IF NOT EXISTS sluice_notes (
	subject text COLLATE "C" NOT NULL,
	owner   text COLLATE "C" NOT NULL,
	body    bytea NOT NULL,
	PRIMARY KEY (subject, owner)
);
CREATE TABLE IF NOT EXISTS sluice_samples (
	subject text COLLATE "C" NOT NULL,
	number  bigint GENERATED ALWAYS AS IDENTITY,
	body    bytea NOT NULL,
	PRIMARY KEY (subject, number)
)`

// alive is whether an owner other than self has a living lease.
const alive = `EXISTS (SELECT FROM sluice_leases l WHERE l.owner = n.owner AND l.expires > clock_timestamp())`

// PutNote replaces the owner's note about the subject.
func (s *Store) PutNote(ctx context.Context, subject, owner string, body []byte) error {
	return s.noting(ctx, "put a note down", func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `INSERT INTO sluice_notes AS n (subject, owner, body) VALUES ($1, $2, $3)
			ON CONFLICT (subject, owner) DO UPDATE SET body = excluded.body`, subject, owner, body)
		return err
	})
}

// Notes returns everybody's notes about the subject, by owner. Those of owners
// without a living lease are orphans; self's never is.
func (s *Store) Notes(ctx context.Context, subject, self string) (all []rollout.Note, err error) {
	err = s.noting(ctx, "read notes", func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, `SELECT owner, body, owner <> $2 AND NOT `+alive+`
			FROM sluice_notes n WHERE subject = $1 ORDER BY owner`, subject, self)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (n rollout.Note, err error) {
			err = row.Scan(&n.Owner, &n.Body, &n.Orphan)
			return n, err
		})
		return err
	})
	return all, err
}

// Inherit replaces the owner's note by body, which holds what the orphan says, and
// removes the orphan, both at once. It does neither, and returns false, if the
// orphan is not as it was read, or lives again.
func (s *Store) Inherit(ctx context.Context, subject string, orphan rollout.Note, owner string, body []byte) (done bool, err error) {
	err = s.noting(ctx, "inherit a note", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `DELETE FROM sluice_notes n WHERE subject = $1 AND owner = $2 AND body = $3 AND NOT `+alive,
				subject, orphan.Owner, orphan.Body)
			if done = err == nil && tag.RowsAffected() == 1; !done {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO sluice_notes (subject, owner, body) VALUES ($1, $2, $3)
				ON CONFLICT (subject, owner) DO UPDATE SET body = excluded.body`, subject, owner, body)
			return err
		})
	})
	return done && err == nil, err
}

// KeepSample adds a sample of the subject, and drops the oldest beyond keep.
func (s *Store) KeepSample(ctx context.Context, subject string, body []byte, keep rollout.Keep) error {
	return s.noting(ctx, "keep a sample", func(ctx context.Context) error {
		batch := &pgx.Batch{}
		batch.Queue(`INSERT INTO sluice_samples (subject, body) VALUES ($1, $2)`, subject, body)
		batch.Queue(`DELETE FROM sluice_samples WHERE subject = $1 AND number <= (
			SELECT max(number) FROM (SELECT number, row_number() OVER newest AS place, sum(length(body)) OVER newest AS bytes
				FROM sluice_samples WHERE subject = $1 WINDOW newest AS (ORDER BY number DESC)) AS kept
			WHERE place > $2 OR bytes > $3)`, subject, keep.Count, keep.Bytes)
		return s.pool.SendBatch(ctx, batch).Close()
	})
}

// Samples returns the newest samples of the subject, at most limit, the newest
// first.
func (s *Store) Samples(ctx context.Context, subject string, limit int) (newest [][]byte, err error) {
	err = s.noting(ctx, "read samples", func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, `SELECT body FROM sluice_samples WHERE subject = $1 ORDER BY number DESC LIMIT $2`, subject, limit)
		if err != nil {
			return err
		}
		newest, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return newest, err
}

// noting is one bounded exchange about notes. It fails with ErrAway.
func (s *Store) noting(ctx context.Context, what string, exchange func(context.Context) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := exchange(ctx); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrAway, what, err)
	}
	return nil
}
