package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sqlStore keeps the writes of one kind in one table, a row for each. Every
// change of a write's state is one statement, so that it is atomic at any level
// of isolation.
type sqlStore struct {
	db        *sql.DB
	retention time.Duration
	put, undo string
	settle    string
	forget    string
	get       string
	count     string
}

// Both dialects know these statements as they are. %t is the table, %b the type
// of bytes: ids are bytes, because text cannot hold every id and sorts by locale.
const (
	sqlTable = `CREATE TABLE IF NOT EXISTS %t (
		doc_id %b NOT NULL, sequence BIGINT NOT NULL, intent %b NOT NULL,
		data %b, undone BOOLEAN NOT NULL, written_ms BIGINT NOT NULL,
		PRIMARY KEY (doc_id, sequence, intent))`
	sqlIndex = `CREATE INDEX IF NOT EXISTS %t_undone ON %t (written_ms) WHERE undone`

	sqlPut = `INSERT INTO %t (doc_id, sequence, intent, data, undone, written_ms)
		VALUES ($1, $2, $3, $4, FALSE, $5)
		ON CONFLICT (doc_id, sequence, intent) DO UPDATE SET undone = %t.undone
		RETURNING undone`
	sqlUndo = `INSERT INTO %t (doc_id, sequence, intent, data, undone, written_ms)
		VALUES ($1, $2, $3, NULL, TRUE, $4)
		ON CONFLICT (doc_id, sequence, intent) DO UPDATE
		SET data = NULL, undone = TRUE, written_ms = excluded.written_ms`

	// sqlSettle drops what lies below a write that is past being undone.
	sqlSettle = `DELETE FROM %t WHERE doc_id = $1 AND written_ms < $2 AND sequence <
		(SELECT max(sequence) FROM %t WHERE doc_id = $1 AND NOT undone AND written_ms < $2)`
	sqlForget = `DELETE FROM %t WHERE undone AND written_ms < $1`

	sqlGet = `SELECT sequence, intent, data FROM %t WHERE doc_id = $1 AND NOT undone
		ORDER BY sequence DESC, intent DESC LIMIT 1`
	sqlCount = `SELECT count(DISTINCT doc_id) FROM %t WHERE NOT undone`
)

func newSQLStore(db *sql.DB, at location) *sqlStore {
	name := func(statement string) string { return strings.ReplaceAll(statement, "%t", at.table()) }
	return &sqlStore{
		db: db, retention: at.retention,
		put: name(sqlPut), undo: name(sqlUndo), settle: name(sqlSettle), forget: name(sqlForget),
		get: name(sqlGet), count: name(sqlCount),
	}
}

// sqlSchema returns the statements that make the location's table.
func sqlSchema(at location, bytesType string) []string {
	fill := strings.NewReplacer("%t", at.table(), "%b", bytesType)
	return []string{fill.Replace(sqlTable), fill.Replace(sqlIndex)}
}

func (s *sqlStore) Put(ctx context.Context, rec Record) error {
	if err := rec.check(); err != nil {
		return err
	}
	now, doc := time.Now(), []byte(rec.DocID)
	data := append([]byte{}, rec.Data...) // nil would be NULL, which means undone
	var undone bool
	row := s.db.QueryRowContext(ctx, s.put, doc, rec.Sequence, []byte(rec.Intent), data, now.UnixMilli())
	if err := row.Scan(&undone); err != nil {
		return fmt.Errorf("put document %q: %w", rec.DocID, err)
	}
	if undone {
		return fmt.Errorf("document %q: %w", rec.DocID, ErrUndone)
	}
	if _, err := s.db.ExecContext(ctx, s.settle, doc, s.cutoff(now)); err != nil {
		return fmt.Errorf("forget old versions of document %q: %w", rec.DocID, err)
	}
	return nil
}

func (s *sqlStore) Undo(ctx context.Context, ref Ref) error {
	if err := ref.check(); err != nil {
		return err
	}
	now := time.Now()
	_, err := s.db.ExecContext(ctx, s.undo, []byte(ref.DocID), ref.Sequence, []byte(ref.Intent), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("undo document %q: %w", ref.DocID, err)
	}
	if _, err := s.db.ExecContext(ctx, s.forget, s.cutoff(now)); err != nil {
		return fmt.Errorf("forget old undo marks: %w", err)
	}
	return nil
}

func (s *sqlStore) Get(ctx context.Context, docID string) (Record, error) {
	rec := Record{Ref: Ref{DocID: docID}}
	var intent []byte
	err := s.db.QueryRowContext(ctx, s.get, []byte(docID)).Scan(&rec.Sequence, &intent, &rec.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, fmt.Errorf("document %q: %w", docID, ErrNotFound)
	}
	if err != nil {
		return Record{}, fmt.Errorf("get document %q: %w", docID, err)
	}
	rec.Intent = string(intent)
	return rec, nil
}

func (s *sqlStore) Count(ctx context.Context) (int, error) {
	var n int
	if err := s.db.QueryRowContext(ctx, s.count).Scan(&n); err != nil {
		return 0, fmt.Errorf("count documents: %w", err)
	}
	return n, nil
}

func (s *sqlStore) Close() error { return s.db.Close() }

// cutoff is the time, in milliseconds since 1970, before which is forgotten.
func (s *sqlStore) cutoff(now time.Time) int64 { return now.Add(-s.retention).UnixMilli() }
