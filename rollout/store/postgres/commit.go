package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	begin  = `BEGIN ISOLATION LEVEL READ COMMITTED`
	commit = `COMMIT`

	// fence keeps the control row as it is until the transaction ends.
	fence = `LOCK TABLE sluice_control IN SHARE MODE`

	// fenced is evaluated once in each statement, after the fence.
	fenced = `(SELECT policy_epoch = $1 AND migration = $2 AND clock_timestamp() < $3 FROM sluice_control WHERE one)`

	// lockRows takes the stored documents in the order of their keys, so that no
	// two gateways wait for each other.
	lockRows = `SELECT FROM sluice_claims WHERE doc_key = ANY($1) ORDER BY doc_key FOR UPDATE`

	addRows = `WITH won AS (
		INSERT INTO sluice_claims (doc_key, record, stamp, owners, expires)
		SELECT n.doc_key, n.record, n.stamp, n.owners::text[], n.expires
		FROM unnest($12::bytea[], $13::bytea[], $14::bigint[], $15::text[], $16::bigint[]) AS n (doc_key, record, stamp, owners, expires)
		WHERE ` + fenced + `
		ON CONFLICT DO NOTHING RETURNING doc_key` + posted

	replaceRows = `WITH won AS (
		UPDATE sluice_claims AS c
		SET record = n.record, stamp = n.stamp, owners = n.owners::text[], expires = n.expires
		FROM unnest($12::bytea[], $13::bytea[], $14::bigint[], $15::text[], $16::bigint[], $17::bigint[]) AS n (doc_key, record, stamp, owners, expires, was)
		WHERE ` + fenced + ` AND c.doc_key = n.doc_key AND c.stamp = n.was
		RETURNING c.doc_key` + posted

	removeRows = `WITH won AS (
		DELETE FROM sluice_claims AS c
		USING unnest($12::bytea[], $13::bigint[]) AS n (doc_key, was)
		WHERE ` + fenced + ` AND c.doc_key = n.doc_key AND c.stamp = n.was
		RETURNING c.doc_key` + posted
)

// commit stores what the documents' runs made of them, in one transaction and one
// round trip. It returns those that are stored; the others lost against another
// gateway or a new policy. It fails with ErrUnknown if the database did not say
// how it ended; else nothing is stored.
func (s *Store) commit(conn *pgxpool.Conn, read reading, docs []*document, slot int16) (map[key]bool, error) {
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	until := read.now.Add(s.cfg.Timeout)
	batch := &pgx.Batch{}
	batch.Queue(begin)
	batch.Queue(fence)
	queries := queueWrites(batch, docs, []any{read.policy.Epoch, s.cfg.Migration, until, slot})
	batch.Queue(commit)

	answers := conn.SendBatch(ctx, batch)
	won, err := winners(answers, queries, len(docs))
	closed := answers.Close()
	if err == nil {
		return won, nil // COMMIT was answered; what comes after does not matter
	}
	return nil, outcome(errors.Join(err, closed))
}

// queueWrites queues the statements for the documents, which begin with the
// parameters that all have, and returns how many there are.
func queueWrites(batch *pgx.Batch, docs []*document, common []any) int {
	var added, replaced, removed columns
	for _, d := range docs {
		switch {
		case d.stored == nil:
			added.add(d)
		case d.next.record == nil:
			removed.add(d)
		default:
			replaced.add(d)
		}
	}
	before := batch.Len()
	if len(docs) > 1 && len(added.keys) < len(docs) {
		batch.Queue(lockRows, append(replaced.keys[:len(replaced.keys):len(replaced.keys)], removed.keys...))
	}
	if len(added.keys) > 0 {
		batch.Queue(addRows, append(added.parameters(common), added.keys, added.records, added.stamps, added.owners, added.expires)...)
	}
	if len(replaced.keys) > 0 {
		batch.Queue(replaceRows, append(replaced.parameters(common), replaced.keys, replaced.records, replaced.stamps, replaced.owners, replaced.expires, replaced.was)...)
	}
	if len(removed.keys) > 0 {
		batch.Queue(removeRows, append(removed.parameters(common), removed.keys, removed.was)...)
	}
	return batch.Len() - before
}

// columns are rows, the way a statement takes many of them.
type columns struct {
	keys, records        [][]byte
	stamps, expires, was []int64
	owners               []string
	postings
	counted
}

func (c *columns) add(d *document) {
	c.keys = append(c.keys, d.key[:])
	c.records = append(c.records, d.next.record)
	c.stamps = append(c.stamps, d.next.stamp)
	c.owners = append(c.owners, arrayLiteral(d.next.owners))
	c.expires = append(c.expires, d.next.expires)
	if d.stored != nil {
		c.was = append(c.was, d.stored.stamp)
	}
	c.postings.add(d)
	c.counted.add(d)
}

// parameters are those that all statements have.
func (c *columns) parameters(common []any) []any {
	return c.counted.after(c.postings.after(common))
}

// arrayLiteral writes a text[]: unnest would flatten an array of arrays.
func arrayLiteral(elements []string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		for _, c := range []byte(e) {
			if c == '"' || c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}

// winners reads the answers up to the one to COMMIT. The keys that the queries
// return are those that were written; lockRows returns no column.
func winners(answers pgx.BatchResults, queries, docs int) (map[key]bool, error) {
	won := make(map[key]bool, docs)
	for range 2 { // begin, fence
		if _, err := answers.Exec(); err != nil {
			return nil, err
		}
	}
	for range queries {
		rows, err := answers.Query()
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			if values := rows.RawValues(); len(values) == 1 {
				won[key(values[0])] = true
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	tag, err := answers.Exec()
	if err == nil && tag.String() != "COMMIT" {
		err = fmt.Errorf("%w: COMMIT was answered with %s", ErrAway, tag)
	}
	return won, err
}

// outcome tells an error after which nothing is stored from one that leaves it
// open: a transaction that the server itself calls failed has not committed. One
// whose connection ended may have, even if the server said why it ended it.
func outcome(err error) error {
	var refused *pgconn.PgError
	if pgconn.SafeToRetry(err) || errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR" {
		return fmt.Errorf("%w: commit: %w", ErrAway, err)
	}
	return fmt.Errorf("%w: commit: %w", ErrUnknown, err)
}

// passing reports whether the same transaction would probably succeed now.
func passing(err error) bool {
	var refused *pgconn.PgError
	if errors.Is(err, ErrUnknown) || !errors.As(err, &refused) {
		return false
	}
	return refused.Code == "40001" || refused.Code == "40P01" // serialization, deadlock
}
