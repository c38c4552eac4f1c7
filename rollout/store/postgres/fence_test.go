package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// A gateway that is frozen after it has read a policy of 100 % finds, when it
// thaws, that 0 % has committed: its claim is made anew under that.
func TestFrozenGatewayCommitsNothingUnderAnOlderPolicy(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	frozen, leader := open(t, dsn), open(t, dsn)
	high := offer(t, leader, "leader", percent(t, 100))
	reads := 0
	frozen.Freeze(func() {
		if reads++; reads == 1 { // the frozen gateway holds no lock: this does not wait for it
			offer(t, leader, "leader", percent(t, 0))
		}
	})
	grant, err := take(frozen, "doc", intent, "frozen")
	if err != nil {
		t.Fatal(err)
	}
	if grant.Path != rollout.Legacy || grant.Epoch != high.Epoch+1 || reads != 2 {
		t.Errorf("after %d attempts the document went to %v under epoch %d; 0 %% is epoch %d", reads, grant.Path, grant.Epoch, high.Epoch+1)
	}
	if h, err := leader.Get(t.Context(), "doc"); err != nil || len(h.Claims) != 1 || h.Claims[0].Path != rollout.Legacy {
		t.Errorf("stored: %+v, %v", h, err)
	}
}

// A claim whose transaction has passed the check of the epoch holds a new policy
// up until it has committed.
func TestPolicyWaitsForCommitsUnderWay(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store, leader := open(t, dsn), open(t, dsn)
	offer(t, leader, "leader", percent(t, 100))
	if _, err := take(store, "doc", intent, "gateway"); err != nil {
		t.Fatal(err)
	}
	release := hold(t, dsn, "SELECT FROM sluice_claims FOR UPDATE")
	other := rollout.Intent("d00000000000000000000000000000002")
	var running sync.WaitGroup
	running.Go(func() { // checks the epoch, then waits for the row
		if grant, err := take(store, "doc", other, "gateway"); err != nil || grant.Path != rollout.Temporal {
			t.Errorf("%+v, %v", grant, err)
		}
	})
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	eventually(t, "the claim waits for its row", func() bool { return query[int](t, dsn, waiting) == 1 })
	running.Go(func() {
		offer(t, leader, "leader", percent(t, 0))
		if h, err := store.Get(t.Context(), "doc"); err != nil || h.Find(other) == nil {
			t.Errorf("0 %% is in force, and a claim for Temporal has not committed yet: %+v, %v", h, err)
		}
	})
	eventually(t, "the new policy waits for the claim", func() bool { return query[int](t, dsn, waiting) == 2 })
	release()
	running.Wait()
}

// hold holds a lock until it is told to release it.
func hold(t *testing.T, dsn, lock string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
		_ = conn.Close(t.Context())
	}
}

// A change that was made long before it is to be committed is made again: its
// time is too old.
func TestFrozenGatewayReadsTheClockAgain(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	const freeze = postgres.DefaultTimeout * 6 / 5
	store.Freeze(sync.OnceFunc(func() { time.Sleep(freeze) }))
	before := time.Now()
	grant, err := take(store, "doc", intent, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	if born := time.UnixMilli(int64(grant.Life)); born.Before(before.Add(freeze).Truncate(time.Millisecond)) {
		t.Errorf("the claim was born %v after the call", born.Sub(before))
	}
}

// A session that holds the control table, as a gateway does of whose message only
// half has arrived, delays a policy for one Timeout at most.
func TestStuckSessionDoesNotStopAPolicy(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	offer(t, store, "leader", percent(t, 100))
	for _, lock := range []string{"LOCK TABLE sluice_control IN SHARE MODE", "SELECT FROM sluice_leader FOR UPDATE"} {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "BEGIN; "+lock); err != nil {
			t.Fatal(err)
		}
		offer(t, store, "leader", percent(t, 0))
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("%s: the session lives", lock)
		}
		offer(t, store, "leader", percent(t, 100))
	}
}
