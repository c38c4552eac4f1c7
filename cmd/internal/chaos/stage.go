package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/cmd/internal/chaos/child"
	"sluice/cmd/internal/chaos/clients"
	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/oldservice"
	"sluice/cmd/internal/chaos/wishes"
	"sluice/cmd/internal/chaos/workflows"
	"sluice/rollout/store/pgtest"
)

// stage is everything that takes part.
type stage struct {
	config    Config
	ledger    *ledger.Ledger
	legacy    *oldservice.Service
	temporal  *child.Child
	postgres  *pgtest.Server // nil with the embedded store
	dsn       string         // of the database itself, not by the proxy
	worker    *workflows.Worker
	links     links
	gateways  []*child.Child
	operators []string // URLs of the gateways' operator listeners
	clients   *clients.Clients

	mu     sync.Mutex
	marks  []ledger.Mark  // guarded by mu; what the harness did
	counts map[string]int // guarded by mu; of the same
}

// mark notes something that the harness does.
func (s *stage) mark(kind, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
	s.marks = append(s.marks, ledger.Mark{At: time.Now(), Text: kind + " " + fmt.Sprintf(format, args...)})
}

// assemble starts everything. The caller closes the stage in any case.
func (s *stage) assemble(ctx context.Context) error {
	binary, err := s.config.build(ctx)
	if err != nil {
		return err
	}
	s.ledger = ledger.New(s.config.Intents)
	if s.legacy, err = oldservice.New(s.ledger, s.config.Seed); err != nil {
		return err
	}
	frontend, err := s.startTemporal(ctx)
	if err != nil {
		return err
	}
	database := ""
	if s.config.Store == StorePostgres {
		if database, err = s.startPostgres(); err != nil {
			return err
		}
	}
	return s.openGateways(ctx, binary, frontend, database)
}

func (s *stage) startTemporal(ctx context.Context) (frontend string, err error) {
	if frontend, err = child.FreePort(); err != nil {
		return "", err
	}
	s.temporal = child.New(child.Config{
		Name: "Temporal", Program: s.config.Devstack, LogFile: filepath.Join(s.config.Dir, "temporal.log"),
		Args: []string{"-exit-on-stdin-close", "-frontend", frontend, "-ui", "", "-db", filepath.Join(s.config.Dir, "temporal.db")},
		Ready: func(ctx context.Context) error {
			conn, err := net.DialTimeout("tcp", frontend, time.Second)
			if err != nil {
				return err
			}
			return conn.Close()
		},
	})
	if err := s.temporal.Start(ctx); err != nil {
		return "", err
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if s.worker, err = workflows.New(frontend, s.ledger, s.config.Seed); err == nil || time.Now().After(deadline) {
			return frontend, err
		}
	}
}

func (s *stage) startPostgres() (address string, err error) {
	dir := filepath.Join(s.config.Dir, "database")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	// Processes are killed here, not machines: the disk need not have it.
	if s.postgres, err = pgtest.Start(dir, "fsync=off"); err != nil {
		return "", err
	}
	s.dsn = s.postgres.DSN("postgres")
	return s.postgres.Address(), nil
}

func (s *stage) openGateways(ctx context.Context, binary, frontend, database string) error {
	var doors []string
	for i := range s.config.Gateways {
		door, err := child.FreePort()
		operator, failed := child.FreePort()
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		doors = append(doors, door)
		s.addGateway(i, binary, door, operator)
	}
	if err := s.openLinks(s.legacy.Address(), frontend, database, doors); err != nil {
		return err
	}
	dsnFile := ""
	if database != "" {
		dsnFile = filepath.Join(s.config.Dir, "dsn")
		dsn := "postgres://sluice@" + s.links.postgres.Address() + "/postgres?sslmode=disable"
		if err := os.WriteFile(dsnFile, []byte(dsn), 0o600); err != nil {
			return err
		}
	}
	if err := errors.Join(s.setFlags(s.config.Most/2, false), s.writeConfig(dsnFile)); err != nil {
		return err
	}
	var urls []string
	for i, g := range s.gateways {
		if err := g.Start(ctx); err != nil {
			return err
		}
		urls = append(urls, "http://"+s.links.doors[i].Address())
	}
	s.clients = clients.New(clients.Config{
		Gateways: urls, Ledger: s.ledger, Seed: s.config.Seed,
		Wishes: s.config.Intents, Parallel: s.config.Parallel, Patience: patience,
	})
	return s.warm(ctx)
}

// warm waits until a gateway serves a request that is no document, so that the
// first faults do not meet a stage that is still being set up.
func (s *stage) warm(ctx context.Context) error {
	for _, url := range s.operators {
		if err := ready(ctx, url+"/livez"); err != nil {
			return err
		}
	}
	s.mark("began", "%d wishes of seed %d on %s", s.config.Intents, s.config.Seed, wishes.Path(wishes.RouteUpdate))
	return nil
}

// close ends everything, whatever of it there is.
func (s *stage) close() {
	for _, g := range s.gateways {
		g.Kill()
	}
	if s.worker != nil {
		s.worker.Close()
	}
	s.links.close()
	if s.temporal != nil {
		s.temporal.Kill()
	}
	if s.postgres != nil {
		s.postgres.Kill()
	}
	if s.legacy != nil {
		s.legacy.Close()
	}
}
