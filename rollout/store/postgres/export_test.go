package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Freeze makes freeze run between each batch's read and its commit.
func (s *Store) Freeze(freeze func()) { s.frozen = freeze }

// Tidy folds counts, at so many rows, and forgets ticks.
func (s *Store) Tidy(ctx context.Context, foldAt int) error {
	if _, err := s.pool.Exec(ctx, foldCounts, foldAt); err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, forgetTicks)
	return err
}

// Late makes the next pledge count as one that was sent n before.
func (s *Store) Late(n int64) { s.pledges.Add(-n) }

// Ready returns what keeps the Store from being used.
func Ready(s *Store) error { return s.ready.check() }

// OnSession shows one of the Store's connections.
func OnSession(t testing.TB, s *Store, use func(*pgx.Conn)) {
	t.Helper()
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	use(conn.Conn())
}

// Layout is this build's.
func Layout() int { return layout() }
