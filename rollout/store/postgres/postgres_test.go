package postgres_test

import (
	"context"
	"errors"
	"log"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
	"sluice/rollout/store/pgtest"
	"sluice/rollout/store/postgres"
)

const (
	salt   = "temporal-rollout/v1"
	intent = rollout.Intent("d0123456789abcdef0123456789abcdef")
)

// server is one for all tests; set before the first. Those that stop it are not
// parallel.
var server *pgtest.Server

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func withServer(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "claims-server")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	settings := []string{}
	if os.Getenv("PGTEST_FSYNC") == "" { // benchmarks set it; a crash of the process alone loses nothing
		settings = append(settings, "fsync=off")
	}
	server, err = pgtest.Start(dir, settings...)
	if err != nil {
		return 0, err
	}
	defer server.Stop()
	return run(), nil
}

// open opens a Store on the database; it is closed with the test.
func open(t testing.TB, dsn string, set ...func(*postgres.Config)) *postgres.Store {
	t.Helper()
	cfg := postgres.Config{DSN: dsn, Migration: salt}
	for _, s := range set {
		s(&cfg)
	}
	store, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// query asks the database itself.
func query[T any](t testing.TB, dsn, sql string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func percent(t testing.TB, p float64) rollout.Policy {
	t.Helper()
	flag, err := rollout.ParsePercent(p)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Policy{Flag: flag, Plan: rollout.All, Brake: rollout.All}
}

// offer makes the owner's policy the one in force.
func offer(t testing.TB, store *postgres.Store, owner string, want rollout.Policy) rollout.Policy {
	t.Helper()
	got, _, err := offered(t, store, owner, want)
	if err != nil {
		t.Fatal(err)
	}
	want.Epoch = got.Epoch
	if got != want {
		t.Fatalf("%s's policy is not in force: %+v, want %+v", owner, got, want)
	}
	return got
}

// offered is an Offer that pledges nothing.
func offered(t testing.TB, store *postgres.Store, owner string, want rollout.Policy) (rollout.Policy, rollout.Exposure, error) {
	t.Helper()
	accord, err := store.Offer(t.Context(), owner, want, func(rollout.Exposure) rollout.Pledge { return rollout.Pledge{} })
	return accord.Policy, accord.Mark, err
}

// take claims a document for an intent, as far as policy allows.
func take(store *postgres.Store, docID string, i rollout.Intent, owner string) (rollout.Grant, error) {
	var grant rollout.Grant
	err := store.Update(context.Background(), docID, func(h *rollout.Holding, at rollout.Instant) error {
		var err error
		grant, err = h.Take(rollout.Ask{Intent: i, Owner: owner, Temporal: true}, at)
		return err
	})
	return grant, err
}

// eventually waits for what must come, with a limit that only failures reach.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("it did not come to pass: %s", what)
}

func TestUpdateOnceThroughItsLife(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	if _, err := take(store, "doc", intent, `o"w\n{er},`); err != nil {
		t.Fatal(err)
	}
	if got := query[[]string](t, dsn, "SELECT owners FROM sluice_claims"); len(got) != 1 || got[0] != `o"w\n{er},` {
		t.Errorf("owners are %q", got)
	}
	boom := errors.New("boom")
	err := store.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error {
		h.Claims = nil
		return boom
	})
	if err != boom {
		t.Errorf("got %v, want the change's own error as it is", err)
	}
	h, err := store.Get(t.Context(), "doc")
	if err != nil || h.Version != 1 || len(h.Claims) != 1 {
		t.Fatalf("got %+v, %v", h, err)
	}
	if err := store.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error { h.Claims = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if n := query[int](t, dsn, "SELECT count(*) FROM sluice_claims"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestOwnersThatTextCannotHoldAreRefused(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t))
	if _, err := take(store, "doc", intent, "a\x00b"); err == nil || errors.Is(err, postgres.ErrAway) {
		t.Errorf("got %v", err)
	}
	if _, err := take(store, "doc\x00\xff", intent, "a"); err != nil {
		t.Errorf("a doc_id is bytes: %v", err)
	}
}

// A panic in a change is its caller's: the other Updates of the batch, and the
// process, live on.
func TestPanicReachesTheCaller(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t))
	func() {
		defer func() {
			if got := recover(); got != "oh" {
				t.Errorf("recovered %v", got)
			}
		}()
		_ = store.Update(t.Context(), "doc", func(*rollout.Holding, rollout.Instant) error { panic("oh") })
	}()
	if _, err := take(store, "doc", intent, "a"); err != nil {
		t.Fatal(err)
	}
}
