package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// retry repeats an exchange once that failed with its connection: those in the
// pool may be to a database that has been restarted since. What it repeats must
// be harmless to repeat.
func (s *Store) retry(ctx context.Context, exchange func() error) error {
	err := exchange()
	if err == nil || errors.Is(err, pgx.ErrNoRows) || ctx.Err() != nil || !broken(err) {
		return err
	}
	s.pool.Reset()
	return exchange()
}

// broken reports whether err ended the connection.
func broken(err error) bool {
	var refused *pgconn.PgError
	return !errors.As(err, &refused) || refused.SeverityUnlocalized != "ERROR"
}
