package postgres_test

import (
	"slices"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

func shortTerm(cfg *postgres.Config) { cfg.LeaderTTL = 300 * time.Millisecond }

func TestOnlyTheLeaderChangesThePolicy(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn), open(t, dsn)
	first := offer(t, a, "a", percent(t, 40))
	if got, mark, err := offered(t, b, "b", percent(t, 0)); err != nil || got != first || mark != 400_000 {
		t.Errorf("b was told %+v, mark %v, %v; a's %+v is in force", got, mark, err, first)
	}
	if again := offer(t, a, "a", percent(t, 40)); again != first {
		t.Errorf("the same policy is another epoch: %+v after %+v", again, first)
	}
	kill := percent(t, 60)
	kill.Kill = true
	offer(t, a, "a", kill)
	second := offer(t, a, "a", percent(t, 7))
	if got, mark, err := offered(t, b, "b", percent(t, 100)); err != nil || got != second || got.Epoch != first.Epoch+2 || mark != 400_000 {
		t.Errorf("b was told %+v, mark %v, %v", got, mark, err)
	}
}

func TestTermEndsOnTheDatabasesClock(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn, shortTerm), open(t, dsn, shortTerm)
	offer(t, a, "a", percent(t, 40))
	query[int](t, dsn, "WITH u AS (UPDATE sluice_leader SET expires = clock_timestamp() + interval '1 hour' RETURNING 1) SELECT count(*) FROM u")
	time.Sleep(400 * time.Millisecond)
	if got, _, err := offered(t, b, "b", percent(t, 0)); err != nil || got.Flag != 400_000 {
		t.Errorf("b led while a's term ran: %+v, %v", got, err)
	}
	query[int](t, dsn, "WITH u AS (UPDATE sluice_leader SET expires = clock_timestamp() RETURNING 1) SELECT count(*) FROM u")
	offer(t, b, "b", percent(t, 10))
	if got, _, err := offered(t, a, "a", percent(t, 40)); err != nil || got.Flag != 100_000 {
		t.Errorf("a still leads: %+v, %v", got, err)
	}
	eventually(t, "a leads again after b's term", func() bool {
		got, _, err := offered(t, a, "a", percent(t, 40))
		return err == nil && got.Flag == 400_000
	})
}

func TestChangesWakeTheOthers(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn), open(t, dsn)
	for _, s := range []*postgres.Store{a, b} { // each listens, and says so once
		select {
		case <-s.Changes():
		case <-time.After(20 * time.Second):
			t.Fatal("it does not listen")
		}
	}
	offer(t, a, "a", percent(t, 1))
	offer(t, a, "a", percent(t, 2))
	select {
	case <-b.Changes():
	case <-time.After(20 * time.Second):
		t.Fatal("b was not woken")
	}
	if got, _, err := offered(t, b, "b", rollout.Policy{}); err != nil || got.Flag == 0 {
		t.Errorf("b was woken and finds %+v, %v", got, err)
	}
	select {
	case <-a.Changes():
		t.Error("a was woken by its own change")
	default:
	}
}

func TestDeadOwners(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	for doc, owner := range map[string]string{"1": "alive", "2": "expired", "3": "never", "4": "self", "5": "settled", "6": "expired"} {
		if _, err := take(store, doc, intent, owner); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := take(store, "1", intent, "sender"); err != nil { // owns only a send, once it is alive's again
		t.Fatal(err)
	}
	if _, err := take(store, "1", intent, "alive"); err != nil {
		t.Fatal(err)
	}
	settle := func(h *rollout.Holding, at rollout.Instant) error { return h.Sent(intent, "settled", true, at) }
	if err := store.Update(t.Context(), "5", settle); err != nil {
		t.Fatal(err)
	}
	for owner, ttl := range map[string]time.Duration{"alive": time.Hour, "expired": time.Millisecond} {
		if err := store.Renew(t.Context(), owner, ttl); err != nil {
			t.Fatal(err)
		}
	}
	dead(t, store, "expired", "never", "sender")
	if err := store.Renew(t.Context(), "expired", time.Hour); err != nil {
		t.Fatal(err)
	}
	dead(t, store, "never", "sender")
}

func dead(t *testing.T, store *postgres.Store, want ...string) {
	t.Helper()
	eventually(t, "Dead lists exactly the dead", func() bool {
		got, err := store.Dead(t.Context(), "self")
		if err != nil {
			t.Fatal(err)
		}
		return slices.Equal(got, want)
	})
}
