package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// reading is what a batch's changes are made from.
type reading struct {
	control
	rows map[key]*row
}

const readRows = `SELECT doc_key, record, stamp, expires FROM sluice_claims WHERE doc_key = ANY($1)`

// read reads the control row and the documents in one round trip. It takes no
// lock: what has changed by then, commit finds out.
func (s *Store) read(ctx context.Context, conn *pgxpool.Conn, docs []*document) (reading, error) {
	keys := make([][]byte, len(docs))
	for i, d := range docs {
		keys[i] = d.key[:]
	}
	batch := &pgx.Batch{}
	batch.Queue(readControl)
	batch.Queue(readRows, keys)
	answers := conn.SendBatch(ctx, batch)
	found := reading{rows: make(map[key]*row, len(docs))}
	var err error
	if found.control, err = scanControl(answers.QueryRow()); err != nil {
		_ = answers.Close() // fails with the same error
		return reading{}, err
	}
	rows, _ := answers.Query() // its error is that of rows
	var doc []byte
	for rows.Next() {
		r := &row{}
		if err = rows.Scan(&doc, &r.record, &r.stamp, &r.expires); err != nil {
			break
		}
		found.rows[key(doc)] = r
	}
	rows.Close()
	if closed := answers.Close(); err == nil {
		err = closed
	}
	return found, err
}
