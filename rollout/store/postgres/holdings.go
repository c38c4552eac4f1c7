package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// pageSize is how many holdings Open reads at once.
const pageSize = 500

const getRow = `SELECT record FROM sluice_claims WHERE doc_key = $1 AND (expires = 0 OR expires > ` + nowMilli + `)`

// nowMilli is the database's clock, in milliseconds since 1970.
const nowMilli = `floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

// Get returns a document's holding, an empty one of Version 0 if nothing is
// stored or its horizon has passed.
func (s *Store) Get(ctx context.Context, docID string) (*rollout.Holding, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	k := keyOf(docID)
	d := document{id: docID}
	var record []byte
	err := s.retry(ctx, func() error {
		return s.pool.QueryRow(ctx, getRow, k[:]).Scan(&record)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return &rollout.Holding{DocID: docID}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: get document %q: %w", ErrAway, docID, err)
	}
	return d.parse(record)
}

// Open visits every holding that has an open claim: all that have one all the
// while Open runs, and some of those that have one for a part of it. No lock is
// held and no connection is in use while visit runs. It ends with the first error
// of visit, which it returns as it is.
func (s *Store) Open(ctx context.Context, visit func(*rollout.Holding) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	// All keys first, as of one time: a page at a time would miss a holding whose
	// place in the index changes. A million take 16 MB.
	keys, err := s.openKeys(ctx)
	if err != nil {
		return fmt.Errorf("%w: list open claims: %w", ErrAway, err)
	}
	for len(keys) > 0 {
		page := keys[:min(pageSize, len(keys))]
		keys = keys[len(page):]
		records, err := s.openRecords(ctx, page)
		if err != nil {
			return fmt.Errorf("%w: read open claims: %w", ErrAway, err)
		}
		for _, record := range records {
			h, err := rollout.ParseHolding(record)
			if err != nil {
				return fmt.Errorf("a record in sluice_claims: %w", err)
			}
			if err := visit(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// unlimited lifts the limits on time that are set for each session: millions of
// keys may take longer. The caller's context still holds.
const unlimited = `SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')`

func (s *Store) openKeys(ctx context.Context) ([]key, error) {
	var keys []key
	err := s.retry(ctx, func() error {
		keys = nil
		return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, unlimited); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, `SELECT doc_key FROM sluice_claims WHERE expires = 0`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				keys = append(keys, key(rows.RawValues()[0]))
			}
			return rows.Err()
		})
	})
	return keys, err
}

func (s *Store) openRecords(ctx context.Context, page []key) ([][]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	keys := make([][]byte, len(page))
	for i := range page {
		keys[i] = page[i][:]
	}
	var records [][]byte
	err := s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, `SELECT record FROM sluice_claims WHERE doc_key = ANY($1) AND expires = 0`, keys)
		if err != nil {
			return err
		}
		records, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return records, err
}
