package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresConns bounds the connections of one store.
const postgresConns = 8

// schemaLock serialises the making of tables: two processes that run CREATE
// TABLE IF NOT EXISTS at the same moment can both find none, and one fails.
const schemaLock = `SELECT pg_advisory_xact_lock(hashtext('sluice ingestion stores'))`

func parsePostgres(at location) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(at.address)
	if err != nil {
		// pgx quotes the DSN in its error, and hides the password only where it
		// finds it.
		return nil, errors.New("the postgres:// DSN cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..., special characters percent-encoded")
	}
	return config, nil
}

func openPostgres(ctx context.Context, at location) (Handle, error) {
	config, err := parsePostgres(at)
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("PostgreSQL at %s:%d, database %q", config.Host, config.Port, config.Database)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(postgresConns)
	db.SetMaxIdleConns(postgresConns)
	if err := preparePostgres(ctx, db, at); err != nil {
		return nil, errors.Join(fmt.Errorf("%s (does it run, and may the user create tables?): %w", where, err), db.Close())
	}
	return newSQLStore(db, at), nil
}

// preparePostgres makes the location's table in one transaction.
func preparePostgres(ctx context.Context, db *sql.DB, at location) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	for _, statement := range append([]string{schemaLock}, sqlSchema(at, "BYTEA")...) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return tx.Commit()
}
