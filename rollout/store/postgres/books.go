package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// slots is how many ways the books are split. So many rows for each route and
// kind of entry is all that they ever take.
const slots = 256

// posted ends a statement whose won are the documents that it stored: what their
// changes are for the books is added up, and what they counted, and nothing of the
// others.
const posted = `), booked AS (
		INSERT INTO sluice_books AS b (slot, route, entry, times)
		SELECT $4, p.route, p.entry, count(*)
		FROM unnest($5::bytea[], $6::text[], $7::smallint[]) AS p (doc_key, route, entry) JOIN won USING (doc_key)
		GROUP BY p.route, p.entry ORDER BY p.route, p.entry
		ON CONFLICT (slot, route, entry) DO UPDATE SET times = b.times + excluded.times
	), counted AS (
		INSERT INTO sluice_counts (epoch, what, times)
		SELECT c.epoch, c.what, sum(c.times)
		FROM unnest($8::bytea[], $9::bigint[], $10::integer[], $11::bigint[]) AS c (doc_key, epoch, what, times) JOIN won USING (doc_key)
		GROUP BY c.epoch, c.what
	)
	SELECT doc_key FROM won`

// postings are what the changes of some documents are for the books, the way a
// statement takes them.
type postings struct {
	docs    [][]byte
	routes  []string
	entries []int16
}

func (p *postings) add(d *document) {
	for i := range d.posts {
		p.docs = append(p.docs, d.key[:])
		p.routes = append(p.routes, route(d.posts[i].Route))
		p.entries = append(p.entries, entry(d.posts[i]))
	}
}

// after appends the postings to a statement's parameters.
func (p *postings) after(common []any) []any {
	return append(common[:len(common):len(common)], p.docs, p.routes, p.entries)
}

// route is the route's name as far as the database can hold it.
func route(name string) string {
	if text(name) {
		return name
	}
	return strings.ReplaceAll(strings.ToValidUTF8(name, "?"), "\x00", "?")
}

// entry is a posting's number in the database, and posting the other way round.
func entry(p rollout.Posting) int16 { return int16(p.Path)<<8 | int16(p.State) }

func posting(route string, entry int16) rollout.Posting {
	return rollout.Posting{Route: route, Path: rollout.Path(entry >> 8), State: rollout.ClaimState(entry & 0xff)}
}

// Books returns the books of all gateways that ever used the database, with the
// claims that are open. All is as of one time, so the books balance exactly. It
// reads the record of every open claim: half a second for a hundred thousand.
func (s *Store) Books(ctx context.Context) (rollout.Books, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var books rollout.Books
	err := s.retry(ctx, func() error {
		books = nil
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, unlimited); err != nil {
				return err
			}
			if err := readBooks(ctx, tx, &books); err != nil {
				return err
			}
			return countOpen(ctx, tx, &books)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read the books: %w", ErrAway, err)
	}
	return books, nil
}

func readBooks(ctx context.Context, tx pgx.Tx, books *rollout.Books) error {
	rows, err := tx.Query(ctx, `SELECT route, entry, sum(times)::bigint FROM sluice_books GROUP BY route, entry`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var route string
		var entry int16
		var times int64
		if err := rows.Scan(&route, &entry, &times); err != nil {
			return err
		}
		p := posting(route, entry)
		if p.Path > rollout.Temporal || p.State > rollout.ClaimVoid {
			return fmt.Errorf("sluice_books has an entry %d, which this version of sluice does not know", entry)
		}
		books.PostTimes(p, uint64(times))
	}
	return rows.Err()
}

func countOpen(ctx context.Context, tx pgx.Tx, books *rollout.Books) error {
	rows, err := tx.Query(ctx, `SELECT record FROM sluice_claims WHERE expires = 0`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := books.CountOpen(rows.RawValues()[0]); err != nil {
			return fmt.Errorf("a record in sluice_claims: %w", err)
		}
	}
	return rows.Err()
}
