package stores

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// openSQLite opens a file. It survives the death of a process at any moment;
// after loss of power the last writes may be missing (WAL, synchronous=NORMAL).
func openSQLite(ctx context.Context, at location) (Handle, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(at.address, "sqlite:"), "?")
	if query != "" {
		return nil, errors.New("a sqlite: DSN has no parameters but namespace and retention")
	}
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, errors.New("a sqlite: DSN needs the path of a file, such as sqlite:data/stores.db")
	}
	dsn, err := sqliteURL(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	// SQLite has one writer at a time: waiting here is fairer than its busy loop.
	db.SetMaxOpenConns(1)
	for _, statement := range sqlSchema(at, "BLOB") {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare SQLite file %s (is it a database, and writable?): %w", path, err), db.Close())
		}
	}
	return newSQLStore(db, at), nil
}

// sqliteURL returns the driver's own name for the file at path.
func sqliteURL(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path of the SQLite file: %w", err)
	}
	if _, err := os.Stat(filepath.Dir(full)); err != nil {
		return "", fmt.Errorf("directory of the SQLite file: %w; make it first", err)
	}
	settings := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(wal)", "synchronous(normal)"}}
	file := url.URL{Scheme: "file", Path: full, RawQuery: settings.Encode()}
	return file.String(), nil
}
