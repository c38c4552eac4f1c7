package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// evictBlockers ends the sessions that have stood in the way of a policy for as
// long as a statement may take: half a message of a gateway that is gone, or
// somebody's open transaction. What they were about to store is not stored; a
// gateway that lives reads the stamps.
const evictBlockers = `SELECT pg_terminate_backend(a.pid)
	FROM pg_stat_activity AS a
	WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
	AND a.xact_start <= clock_timestamp() - $1::interval
	AND EXISTS (
		SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.granted
		AND l.relation IN ('sluice_control'::regclass, 'sluice_leader'::regclass, 'sluice_desk'::regclass)
		AND l.mode <> 'AccessShareLock'
	)`

// unblocked is retry for an exchange that no lock may hold up for long.
func (s *Store) unblocked(ctx context.Context, exchange func() error) error {
	err := s.retry(ctx, exchange)
	if !timedOut(err) {
		return err
	}
	if failed := s.evict(ctx); failed != nil {
		return errors.Join(err, failed)
	}
	return s.retry(ctx, exchange)
}

// evict ends the sessions that stand in the way.
func (s *Store) evict(ctx context.Context) error {
	s.cfg.Log.Warn("a session held up a policy and is ended")
	_, err := s.pool.Exec(ctx, evictBlockers, s.cfg.Timeout)
	return err
}

// timedOut reports whether the server ended a statement that took too long.
func timedOut(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "57014"
}
