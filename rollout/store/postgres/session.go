package postgres

import (
	"context"
	crypto "crypto/rand"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// startup reports whether a pooler takes the parameter in a startup message. pgbouncer
// refuses a connection that brings any other one (08P01), so the others are set once
// the session is there. Options cannot be: who writes them into the DSN wants them.
func startup(parameter string) bool {
	switch strings.ToLower(parameter) {
	case "application_name", "client_encoding", "datestyle", "options", "standard_conforming_strings", "timezone":
		return true
	}
	return false
}

// settings are what a session is set to after it was made.
type settings struct{ names, values []string }

func (s *settings) set(name, value string) {
	s.names, s.values = append(s.names, name), append(s.values, value)
}

// afterStartup takes out of a startup message what a pooler may refuse there.
func afterStartup(parameters map[string]string) (later settings) {
	for name, value := range parameters {
		if !startup(name) {
			later.set(name, value)
			delete(parameters, name)
		}
	}
	return later
}

// perSession sets what the server can: transactions are bounded from PostgreSQL 17
// on. A synchronous_commit is made local only where it is off.
const perSession = `SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)
	WHERE ((name, value) <> ('synchronous_commit', 'local') OR current_setting('synchronous_commit') = 'off')
	AND (name <> 'transaction_timeout' OR current_setting('server_version_num')::int >= 170000)`

// apply uses no prepared statement, so that it works, as all of this file does, before
// it is known whether the session is one.
func (s *settings) apply(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, perSession, pgx.QueryExecModeExec, s.names, s.values)
	return err
}

// errPooled says that connections are no sessions.
var errPooled = errors.New("the pooler in front of the database gives the transactions of one connection to different sessions (pool_mode = transaction or statement), " +
	"and prepared statements, LISTEN and timeouts need one that stays: set pool_mode = session for this database in the pooler, or name PostgreSQL itself in the DSN")

// sessionRounds is how often is looked whether a session stays. Each look finds a
// pooler whose transactions wander, unless others take the right sessions from it at
// the right time.
const sessionRounds = 12

const (
	markSession = `SELECT set_config('sluice.session', $1, false)`
	readMark    = `SELECT coalesce(current_setting('sluice.session', true), '')`
)

// checkSessions fails with errPooled if a pooler in front of the database does not
// keep a session for each connection. What a session was told, that one must know,
// and no other connection may: a pooler that shares sessions gives the one that just
// became idle to whoever asks next, or another one to the connection itself.
// Connections that are sessions never show either.
func (s *Store) checkSessions(ctx context.Context) error {
	one, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer one.Release()
	var backend uint32
	err = one.QueryRow(ctx, `SELECT pg_backend_pid()`, pgx.QueryExecModeExec).Scan(&backend)
	if err != nil || backend == one.Conn().PgConn().PID() {
		return err // without a pooler the number is the one that the server greeted with
	}
	other, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer other.Release()
	for range sessionRounds {
		mark := crypto.Text()
		if _, err := one.Exec(ctx, markSession, pgx.QueryExecModeExec, mark); err != nil {
			return err
		}
		elsewhere, err := markOf(ctx, other)
		if err != nil {
			return err
		}
		here, err := markOf(ctx, one)
		if err != nil {
			return err
		}
		if elsewhere == mark || here != mark {
			return errPooled
		}
	}
	return nil
}

func markOf(ctx context.Context, conn *pgxpool.Conn) (mark string, err error) {
	err = conn.QueryRow(ctx, readMark, pgx.QueryExecModeExec).Scan(&mark)
	return mark, err
}
