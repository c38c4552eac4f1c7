package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// database is the server's store, owned by this process.
type database struct {
	name     string // for messages
	settings *config.SQL
	lock     *os.File // held for the life of the process; nil in memory
}

// openDatabase returns file, or memory if file is empty, with the schema in
// place. It fails if another devstack has the file: two servers on one file
// would take the shard from each other.
func openDatabase(file string) (*database, error) {
	if file == "" {
		// The plugin sets the schema up itself in memory.
		return &database{name: "in memory", settings: sqlSettings("devstack", map[string]string{"mode": "memory", "cache": "shared"})}, nil
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("-db %s: %w", file, err)
	}
	lock, err := lockDatabase(path)
	if err != nil {
		return nil, err
	}
	if err := createIfAbsent(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &database{name: path, lock: lock, settings: sqlSettings(escape(path), map[string]string{
		"mode":         "rw",
		"journal_mode": "wal", // with synchronous=1, 4 to 10 times faster than the default
		"synchronous":  "1",
	})}, nil
}

// lockDatabase takes the lock beside the database; the system frees it when
// the process ends, however it ends.
func lockDatabase(path string) (*os.File, error) {
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("-db needs a directory that exists and can be written: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("database %s is in use by another devstack: stop it, or give another file with -db", path)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func createIfAbsent(path string) error {
	switch _, err := os.Stat(path); {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("-db: %w", err)
	}
	if err := createDatabase(path); err != nil {
		return fmt.Errorf("creating the database %s, named by -db: %w", path, err)
	}
	return nil
}

// createDatabase makes the file appear with its whole schema or not at all, so
// that a process killed half-way leaves nothing that a later start would trust.
func createDatabase(path string) error {
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The plugin never closes its connections. Without a write-ahead log this
	// one stays idle and harmless.
	settings := sqlSettings(escape(draft), map[string]string{"mode": "rwc", "synchronous": "0"})
	if err := sqlite.SetupSchema(settings); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// createNamespaces adds the namespaces that db lacks; those present keep their
// retention.
func (db *database) createNamespaces(names []string, retention time.Duration) error {
	var wanted []*sqlite.NamespaceConfig
	for _, name := range names {
		ns, err := sqlite.NewNamespaceConfig(clusterName, name, false, nil)
		if err != nil {
			return fmt.Errorf("namespace %q: %w", name, err)
		}
		ns.Detail.Config.Retention = durationpb.New(retention)
		wanted = append(wanted, ns)
	}
	if err := sqlite.CreateNamespaces(db.settings, wanted...); err != nil {
		return fmt.Errorf("database %s cannot be used: %w\nif devstack did not create it, give another file with -db", db.name, err)
	}
	return nil
}

func sqlSettings(database string, attributes map[string]string) *config.SQL {
	return &config.SQL{
		PluginName:        sqliteplugin.PluginName,
		DatabaseName:      database,
		ConnectAttributes: attributes,
	}
}

// escape keeps ?, # and % in a path from being read as parts of SQLite's URI.
func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }
