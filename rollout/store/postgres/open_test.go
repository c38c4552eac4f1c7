package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/pgtest"
	"sluice/rollout/store/postgres"
)

func TestManyGatewaysOpenOneEmptyDatabase(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	var running sync.WaitGroup
	for range 6 {
		running.Go(func() {
			store, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt})
			if err != nil {
				t.Error(err)
				return
			}
			defer store.Close()
			if err := count(t.Context(), store, "doc"); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if got := counted(t, open(t, dsn), "doc"); got != 6 {
		t.Errorf("%d of 6 changes are stored", got)
	}
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	secret := "hunter2-wrong"
	locked := func(password string) string {
		return strings.Replace(server.DSN("postgres"), "sluice@", pgtest.Locked+":"+password+"@", 1)
	}
	for name, c := range map[string]struct{ dsn, want string }{
		"wrong password":    {locked(secret), "may the user log in"},
		"no table allowed":  {locked(pgtest.Password), "create tables"},
		"no such database":  {server.DSN("nowhere"), `database "nowhere"`},
		"percent missing":   {"postgres://sluice:" + secret + "%zz@localhost/x", "percent-encoded"},
		"space in the host": {"postgres://sluice:" + secret + "@local host/x", "percent-encoded"},
		"quote in the pair": {"host=localhost password='" + secret, "postgres://USER"},
		"empty":             {"", "postgres://USER"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := postgres.Open(t.Context(), postgres.Config{DSN: c.dsn, Migration: salt})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a hint at %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), pgtest.Password)) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestAnotherSaltIsRefusedWhileClaimsAreOpen(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	old := open(t, dsn)
	offer(t, old, "old", percent(t, 80))
	before := offer(t, old, "old", percent(t, 30))
	if _, err := take(old, "doc", intent, "old"); err != nil {
		t.Fatal(err)
	}
	other := postgres.Config{DSN: dsn, Migration: "another/v1"}
	if _, err := postgres.Open(t.Context(), other); !errors.Is(err, postgres.ErrMigration) || !strings.Contains(err.Error(), "use the old salt") {
		t.Fatalf("got %v", err)
	}
	if err := old.Update(t.Context(), "doc", func(h *rollout.Holding, at rollout.Instant) error {
		return h.Force(intent, h.Claims[0].Life, rollout.ClaimDone, at)
	}); err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	got, mark, err := offered(t, store, "new", percent(t, 0)) // old's term still runs
	if err != nil || got.Flag != before.Flag || got.Epoch <= before.Epoch || mark != before.Exposure() {
		t.Errorf("the new migration begins with %+v, mark %v, %v", got, mark, err)
	}
	if _, err := take(old, "doc-2", intent, "old"); !errors.Is(err, postgres.ErrMigration) {
		t.Errorf("the old gateway still claims: %v", err)
	}
	if _, _, err := offered(t, old, "old", percent(t, 100)); !errors.Is(err, postgres.ErrMigration) {
		t.Errorf("the old gateway still makes policies: %v", err)
	}
}

func TestNothingIsLeftAfterTheHorizon(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	soon := func(cfg *postgres.Config) {
		cfg.Horizon, cfg.ForgetEvery = 500*time.Millisecond, 20*time.Millisecond
	}
	a, b := open(t, dsn, soon), open(t, dsn, soon)
	if err := a.Renew(t.Context(), "a", time.Millisecond); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for n := range 1500 {
		running.Go(func() {
			doc := "doc-" + time.Duration(n).String()
			store := []*postgres.Store{a, b}[n%2]
			if _, err := take(store, doc, intent, "a"); err != nil {
				t.Error(err)
			}
			if n == 0 {
				return // stays open
			}
			if err := store.Update(t.Context(), doc, func(h *rollout.Holding, at rollout.Instant) error {
				return h.Sent(intent, "a", true, at)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	eventually(t, "only the open claim is left", func() bool {
		return query[int](t, dsn, "SELECT count(*) + (SELECT count(*) FROM sluice_leases) FROM sluice_claims") == 1
	})
	found := 0
	if err := a.Open(t.Context(), func(*rollout.Holding) error { found++; return nil }); err != nil || found != 1 {
		t.Errorf("%d open claims, %v", found, err)
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t))
	if err := errors.Join(store.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := take(store, "doc", intent, "a"); !errors.Is(err, postgres.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
