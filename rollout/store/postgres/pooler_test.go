package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout/store/pgtest"
	"sluice/rollout/store/postgres"
	"sluice/rollout/store/storetest"
)

func bounce(t *testing.T, mode string, settings ...string) *pgtest.Bouncer {
	t.Helper()
	b, err := server.Bounce(mode, settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

// pgbouncer in session mode, as it comes: no ignore_startup_parameters.
func TestSessionPooling(t *testing.T) {
	t.Parallel()
	dsn := bounce(t, "session").Through(server.Database(t))
	a, b := open(t, dsn+"&search_path=public&work_mem=5MB"), open(t, dsn)
	offer(t, a, "a", percent(t, 30))
	if _, err := take(a, "doc", intent, "a"); err != nil {
		t.Fatal(err)
	}
	offer(t, a, "a", percent(t, 40))
	select {
	case <-b.Changes():
	case <-t.Context().Done():
	}
	if got := counted(t, b, "doc"); got != 1 {
		t.Errorf("%d attempts", got)
	}
	postgres.OnSession(t, a, func(conn *pgx.Conn) {
		for name, want := range map[string]string{
			"statement_timeout": "2s", "idle_in_transaction_session_timeout": "2s", "enable_seqscan": "off", "jit": "off",
			"tcp_keepalives_idle": "5", "work_mem": "5MB", "synchronous_commit": "on", "search_path": "public", "application_name": "sluice",
		} {
			var got string
			if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q, %v, want %q", name, got, err, want)
			}
		}
	})
}

// All that a store has to do, it does through a pooler in session mode.
func TestConformanceThroughAPooler(t *testing.T) {
	t.Parallel()
	pooler := bounce(t, "session", "default_pool_size = 60", "max_client_conn = 1000", "server_idle_timeout = 1")
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		dsn := server.Database(t)
		return storetest.Subject{Shared: true, Leases: true, Open: func(t *testing.T, settings storetest.Settings) storetest.Store {
			store, err := postgres.Open(t.Context(), postgres.Config{DSN: pooler.Through(dsn), Migration: salt, Horizon: settings.Horizon, Timeout: 30 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			enforce(t, dsn, settings)
			return store
		}}
	})
}

// A pooler that shares sessions is refused, however many it has and whoever else is
// busy on them. One that does not is not, and neither is none.
func TestPoolersThatShareSessionsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode, settings string
		busy           int
		refused        bool
	}{
		"transaction, one idle session":   {mode: "transaction", refused: true},
		"transaction, one session in all": {mode: "transaction", settings: "default_pool_size = 1", refused: true},
		"transaction, others are busy":    {mode: "transaction", busy: 8, refused: true},
		"transaction, in turn":            {mode: "transaction", settings: "server_round_robin = 1", busy: 8, refused: true},
		"statement":                       {mode: "statement", refused: true},
		"statement, others are busy":      {mode: "statement", busy: 8, refused: true},
		"session":                         {mode: "session"},
		"session, others are busy":        {mode: "session", busy: 8},
		"no pooler":                       {busy: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := server.Database(t)
			if c.mode != "" {
				dsn = bounce(t, c.mode, c.settings).Through(dsn)
			}
			occupy(t, dsn, c.busy)
			for range 5 {
				store, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt, Timeout: 30 * time.Second})
				if err == nil {
					err = postgres.Ready(store)
					store.Close()
				}
				if c.refused != (err != nil && strings.Contains(err.Error(), "pool_mode = session")) {
					t.Fatalf("got %v, want it refused: %v", err, c.refused)
				}
			}
		})
	}
}

// occupy keeps connections busy with short statements until the test ends.
func occupy(t *testing.T, dsn string, connections int) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	t.Cleanup(func() { stop(); busy.Wait() })
	for range connections {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		busy.Go(func() {
			defer conn.Close(context.Background())
			for ctx.Err() == nil {
				if _, err := conn.Exec(ctx, "SELECT pg_sleep(random() / 1000)", pgx.QueryExecModeSimpleProtocol); err != nil {
					return
				}
			}
		})
	}
}
