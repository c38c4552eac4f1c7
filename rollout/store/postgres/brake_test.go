package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// braked sets the brake and checks what is then wanted.
func braked(t *testing.T, store *postgres.Store, ceiling, want rollout.Exposure) {
	t.Helper()
	act := rollout.Brake{Exposure: ceiling, Actor: "ada", Reason: fmt.Sprint("to ", ceiling), At: time.UnixMilli(1_700_000_000_123).UTC()}
	got, err := store.SetBrake(t.Context(), act)
	if err != nil || got.Exposure != want || (want == ceiling && got != act) {
		t.Fatalf("the brake is %+v, %v; asked for %v", got, err, ceiling)
	}
	if again, err := store.Brake(t.Context()); err != nil || again != got {
		t.Fatalf("the brake is read as %+v, %v; it was %+v", again, err, got)
	}
}

// Any gateway lowers the brake, and then nothing commits above it, whatever the
// leader offers; only a release lifts it.
func TestTheLeaderDoesNotLiftTheBrake(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	leader, other := open(t, dsn), open(t, dsn)
	high := offer(t, leader, "leader", percent(t, 100))
	braked(t, other, rollout.None, rollout.None)
	if grant, err := take(leader, "a", intent, "leader"); err != nil || grant.Path != rollout.Legacy || grant.Reason != rollout.ReasonBrake || grant.Epoch != high.Epoch+1 {
		t.Errorf("after the rollback: %+v, %v", grant, err)
	}
	for _, p := range []float64{100, 0, 60, 100} {
		got, _, err := offered(t, leader, "leader", percent(t, p))
		if err != nil || got.Brake != rollout.None || got.Exposure() != rollout.None || got.Flag != exposed(t, p) {
			t.Errorf("an offer of %v %% made of it %+v, %v", p, got, err)
		}
	}
	braked(t, leader, exposed(t, 20), rollout.None) // the ceiling of who saw it released
	braked(t, leader, rollout.All, rollout.All)
	if got, _, err := offered(t, other, "other", percent(t, 100)); err != nil || got.Brake != rollout.None {
		t.Errorf("one that does not lead raised it: %+v, %v", got, err)
	}
	offer(t, leader, "leader", percent(t, 100))
	braked(t, leader, exposed(t, 20), exposed(t, 20))
	braked(t, leader, exposed(t, 30), exposed(t, 20))
	if got, _, err := offered(t, other, "other", percent(t, 0)); err != nil || got.Exposure() != exposed(t, 20) {
		t.Errorf("a ceiling of 20 %%: %+v, %v", got, err)
	}
}

// A claim that was decided before the rollback, and is to commit after it, is made
// anew under it.
func TestNoClaimPassesTheBrake(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	frozen, other := open(t, dsn), open(t, dsn)
	high := offer(t, frozen, "leader", percent(t, 100))
	frozen.Freeze(sync.OnceFunc(func() { braked(t, other, rollout.None, rollout.None) }))
	if grant, err := take(frozen, "doc", intent, "leader"); err != nil || grant.Path != rollout.Legacy || grant.Epoch != high.Epoch+1 {
		t.Errorf("%+v, %v", grant, err)
	}
}

// Leaders that offer all the time, and others that claim, while the brake drops: no
// claim that begins after the drop is for Temporal, and no policy raises.
func TestTheBrakeAgainstOffersUnderWay(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	leader, other := open(t, dsn), open(t, dsn)
	for round := range 15 {
		braked(t, other, rollout.All, rollout.All)
		offer(t, leader, "leader", percent(t, 100))
		var running sync.WaitGroup
		stop := make(chan struct{})
		running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, _, err := offered(t, leader, "leader", percent(t, float64(90+n%10))); err != nil {
					t.Error(err)
				}
			}
		})
		time.Sleep(time.Duration(round) * time.Millisecond)
		braked(t, other, rollout.None, rollout.None)
		for n := range 10 {
			if grant, err := take(other, fmt.Sprint(round, "-", n), intent, "other"); err != nil || grant.Path != rollout.Legacy {
				t.Errorf("round %d, claim %d: %+v, %v", round, n, grant, err)
			}
		}
		close(stop)
		running.Wait()
	}
}

// A release waits for floors as any raise does, and a rollback does not.
func TestReleaseWaitsForFloors(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	braked(t, a.Store, exposed(t, 10), exposed(t, 10))
	a.offer(t, percent(t, 60))
	if got := b.offer(t, percent(t, 0)); got.Policy.Exposure() != exposed(t, 10) || got.Mark != exposed(t, 10) || got.Floor != exposed(t, 10) {
		t.Fatalf("60 %% under a brake of 10 %%: %+v", got)
	}
	b.owing = true
	braked(t, b.Store, rollout.All, rollout.All)
	for range 3 {
		if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 10) || got.Mark != exposed(t, 10) {
			t.Errorf("released while b holds it at 10 %%: %+v", got)
		}
		b.offer(t, percent(t, 0))
	}
	braked(t, b.Store, rollout.None, rollout.None)
	if got := b.offer(t, percent(t, 0)); got.Policy.Exposure() != rollout.None {
		t.Errorf("a rollback waits: %+v", got)
	}
	braked(t, b.Store, rollout.All, rollout.All)
	b.owing = false
	a.offer(t, percent(t, 60))
	b.offer(t, percent(t, 0))
	if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 60) {
		t.Errorf("b is ready, and yet: %+v", got)
	}
}

// The brake wakes all gateways, that of who set it too, and outlives them.
func TestTheBrakeWakesAllAndStays(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn), open(t, dsn)
	offer(t, a, "a", percent(t, 100))
	drain(a.Changes())
	drain(b.Changes())
	braked(t, b, rollout.None, rollout.None)
	wakes(t, a.Changes())
	wakes(t, b.Changes())
	for _, s := range []*postgres.Store{a, b} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, dsn)
	if got, _, err := offered(t, c, "a", percent(t, 100)); err != nil || got.Exposure() != rollout.None {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	if got, err := c.Brake(t.Context()); err != nil || got.Actor != "ada" || got.Exposure != rollout.None {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
}

// A session that stands in the way of a rollback is ended.
func TestStuckSessionDoesNotStopARollback(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	offer(t, store, "leader", percent(t, 100))
	done := holdControl(t, dsn)
	braked(t, store, rollout.None, rollout.None)
	done()
}

// holdControl holds the control table as half a message of a gateway does.
func holdControl(t *testing.T, dsn string) (done func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE sluice_control IN SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Ping(t.Context()); err == nil {
			t.Error("the session lives")
		}
		_ = conn.Close(t.Context())
	}
}
