package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// addLine adds a line of the audit only after the one that it was sealed onto. Two
// gateways that add the same number at once: the second waits for the first to
// commit, and then adds nothing.
const addLine = `INSERT INTO sluice_audit (seq, hash, line)
	SELECT $1::bigint, $3, $4
	WHERE $1::bigint = 1 AND NOT EXISTS (SELECT FROM sluice_audit)
	OR EXISTS (SELECT FROM sluice_audit WHERE seq = $1::bigint - 1 AND hash = $2)
	ON CONFLICT DO NOTHING`

// AppendLine adds line number seq of the audit, and its hash, if line seq-1 is the
// last and has the hash prev, or if seq is 1 and there is none. It reports whether
// it did. It fails with ErrAway, and then nobody knows.
func (s *Store) AppendLine(ctx context.Context, seq uint64, prev, hash string, line []byte) (bool, error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	tag, err := s.pool.Exec(ctx, addLine, int64(seq), prev, hash, line)
	if err != nil {
		return false, fmt.Errorf("%w: add to the audit: %w", ErrAway, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Lines returns up to limit lines of the audit after the one numbered after, in
// order.
func (s *Store) Lines(ctx context.Context, after uint64, limit int) ([][]byte, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var lines [][]byte
	err := s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, `SELECT line FROM sluice_audit WHERE seq > $1 ORDER BY seq LIMIT $2`, int64(after), max(limit, 0))
		if err != nil {
			return err
		}
		lines, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: read the audit: %w", ErrAway, err)
	}
	return lines, nil
}
