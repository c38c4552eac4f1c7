package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// good returns how many good events the next decision takes.
func good(t testing.TB, store *postgres.Store) (sum uint64) {
	t.Helper()
	now, err := store.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range now.Counts {
		if c.Event == rollout.EventGood {
			sum += c.Times
		}
	}
	return sum
}

// decided lets the owner rule; it reports whether it leads.
func decided(t *testing.T, store *postgres.Store, owner string, r rollout.Ruling) bool {
	t.Helper()
	led, err := store.Decide(t.Context(), owner, func(rollout.Session) (rollout.Ruling, error) { return r, nil })
	if err != nil {
		t.Fatal(err)
	}
	return led
}

func amended(t *testing.T, store *postgres.Store, r rollout.Ruling) {
	t.Helper()
	if err := store.Amend(t.Context(), func(rollout.Session) (rollout.Ruling, error) { return r, nil }); err != nil {
		t.Fatal(err)
	}
}

// planned is the plan in force, as a change is told.
func planned(t *testing.T, store *postgres.Store) rollout.Exposure {
	t.Helper()
	now, err := store.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return now.Policy.Plan
}

// A leader that decides no more is followed by another within its term, of which
// nothing that was counted is lost.
func TestAnotherGatewayTakesTheDeskOver(t *testing.T) {
	t.Parallel()
	if postgres.DefaultLeaderTTL > 3*time.Second {
		t.Errorf("a leader that is gone is missed for %v", postgres.DefaultLeaderTTL)
	}
	dsn := server.Database(t)
	a, b := open(t, dsn, shortTerm), open(t, dsn, shortTerm)
	offer(t, a, "a", percent(t, 10))
	if decided(t, b, "b", rollout.Ruling{Plan: rollout.All}) {
		t.Error("b decides while a's term runs, which began with an offer")
	}
	if !decided(t, a, "a", rollout.Ruling{State: []byte("a's"), Plan: rollout.All}) {
		t.Fatal("a does not decide")
	}
	last := time.Now()
	if err := count(t.Context(), a, "doc"); err != nil {
		t.Fatal(err)
	}
	for led := false; !led; {
		took := uint64(0)
		var err error
		if led, err = b.Decide(t.Context(), "b", func(now rollout.Session) (rollout.Ruling, error) {
			if string(now.State) != "a's" || len(now.Counts) != 1 {
				t.Errorf("b finds %+v", now)
			}
			took = now.Counts[0].Times
			return rollout.Ruling{Plan: rollout.All}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if early := time.Since(last) < 200*time.Millisecond; led && (early || took != 1) {
			t.Errorf("b took %d counts over after %v", took, time.Since(last))
		}
		if time.Since(last) > 10*time.Second {
			t.Fatal("nobody decides")
		}
	}
	if decided(t, a, "a", rollout.Ruling{}) {
		t.Error("a decides in b's term")
	}
	if got, _, err := offered(t, b, "b", percent(t, 20)); err != nil || got.Flag != exposed(t, 20) {
		t.Errorf("b decides, and does not lead: %+v, %v", got, err)
	}
}

// A brake by ruling is in force at once, as an operator's is; no ruling lifts one.
func TestRulingsLowerTheBrake(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	frozen, leader := open(t, dsn), open(t, dsn)
	high := offer(t, leader, "leader", percent(t, 100))
	act := rollout.Brake{Exposure: rollout.None, Actor: "guard", Reason: "errors", At: time.UnixMilli(1_700_000_000_123).UTC()}
	frozen.Freeze(sync.OnceFunc(func() { // a claim that was decided before, and is to commit after
		decided(t, leader, "leader", rollout.Ruling{Plan: rollout.All, Brake: &act})
	}))
	if grant, err := take(frozen, "doc", intent, "other"); err != nil || grant.Path != rollout.Legacy || grant.Epoch != high.Epoch+1 {
		t.Errorf("after the ruling: %+v, %v", grant, err)
	}
	if got, err := frozen.Brake(t.Context()); err != nil || got != act {
		t.Errorf("the brake is %+v, %v", got, err)
	}
	for _, higher := range []rollout.Exposure{exposed(t, 20), rollout.All} {
		release := rollout.Brake{Exposure: higher, Actor: "guard"}
		decided(t, leader, "leader", rollout.Ruling{Plan: rollout.All, Brake: &release})
		amended(t, frozen, rollout.Ruling{Plan: rollout.All, Brake: &release})
		if got, _, err := offered(t, leader, "leader", percent(t, 100)); err != nil || got.Brake != rollout.None {
			t.Errorf("a ruling raised the brake: %+v, %v", got, err)
		}
	}
	if now, err := leader.Look(t.Context()); err != nil || now.Brake != act || now.Policy.Brake != rollout.None {
		t.Errorf("%+v, %v", now, err)
	}
}

// The plan falls with the ruling and rises by the leader's offers, whatever anybody
// wants.
func TestTheDeskRulesThePlan(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	leader, other := open(t, dsn), open(t, dsn)
	before := offer(t, leader, "leader", percent(t, 100))
	amended(t, other, rollout.Ruling{Plan: exposed(t, 5)})
	if got := planned(t, leader); got != exposed(t, 5) {
		t.Errorf("the plan was lowered, and %v is in force", got)
	}
	for _, plan := range []float64{100, 5, 6, 1, 0, 100} {
		want := percent(t, 100)
		want.Plan = exposed(t, plan)
		if got, _, err := offered(t, leader, "leader", want); err != nil || got.Plan != min(want.Plan, exposed(t, 5)) {
			t.Errorf("a gateway that wants a plan of %v %% gets %+v, %v", plan, got, err)
		}
	}
	if got := query[rollout.Exposure](t, dsn, "SELECT sought FROM sluice_leader"); got != exposed(t, 5) {
		t.Errorf("the leader seeks %v under a plan of 5 %%", got)
	}
	decided(t, leader, "leader", rollout.Ruling{Plan: exposed(t, 25)})
	if got := planned(t, leader); got != exposed(t, 5) {
		t.Errorf("a ruling alone raised the plan to %v", got)
	}
	if got, _, err := offered(t, other, "other", percent(t, 100)); err != nil || got.Plan != exposed(t, 5) {
		t.Errorf("one that does not lead raised the plan: %+v, %v", got, err)
	}
	if got, _, err := offered(t, leader, "leader", percent(t, 100)); err != nil || got.Plan != exposed(t, 25) || got.Epoch <= before.Epoch {
		t.Errorf("the leader's next offer makes it %+v, %v", got, err)
	}
}

// A raise of the plan wakes all gateways, so that the leader offers.
func TestRulingsWakeAll(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn), open(t, dsn)
	amended(t, a, rollout.Ruling{Plan: 0})
	drain(a.Changes())
	drain(b.Changes())
	amended(t, a, rollout.Ruling{Plan: 1})
	wakes(t, a.Changes())
	wakes(t, b.Changes())
}

// Leaders that offer all the time, and others that claim, while the plan falls: no
// claim that begins after the fall is above it, and no offer raises it.
func TestThePlanAgainstOffersUnderWay(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	leader, other := open(t, dsn), open(t, dsn)
	for round := range 15 {
		amended(t, other, rollout.Ruling{Plan: rollout.All})
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
		if round%2 == 0 {
			amended(t, other, rollout.Ruling{Plan: rollout.None})
		} else {
			decided(t, leader, "leader", rollout.Ruling{Plan: rollout.None})
		}
		for n := range 10 {
			if grant, err := take(other, fmt.Sprint(round, "-", n), intent, "other"); err != nil || grant.Path != rollout.Legacy {
				t.Errorf("round %d, claim %d: %+v, %v", round, n, grant, err)
			}
		}
		close(stop)
		running.Wait()
		if got := planned(t, other); got != rollout.None {
			t.Errorf("round %d: an offer raised the plan to %v", round, got)
		}
	}
}

// An offer that begins while a lower plan is about to commit waits for it.
func TestOfferWaitsForALowerPlan(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	leader, other := open(t, dsn), open(t, dsn)
	offer(t, leader, "leader", percent(t, 100))
	braked(t, other, rollout.All, rollout.All)
	release := hold(t, dsn, "SELECT FROM sluice_brake FOR UPDATE")
	var running sync.WaitGroup
	running.Go(func() { // lowers the plan, then waits for the brake's row
		amended(t, other, rollout.Ruling{Plan: rollout.None, Brake: &rollout.Brake{Exposure: rollout.All}})
	})
	const waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	eventually(t, "the ruling waits", func() bool { return query[int](t, dsn, waiting) == 1 })
	running.Go(func() {
		if got, _, err := offered(t, leader, "leader", percent(t, 90)); err != nil || got.Plan != rollout.None {
			t.Errorf("the offer makes it %+v, %v", got, err)
		}
	})
	eventually(t, "the offer waits", func() bool { return query[int](t, dsn, waiting) == 2 })
	release()
	running.Wait()
	if got := planned(t, other); got != rollout.None {
		t.Errorf("a plan of %v is in force", got)
	}
}

// All tickets of a batch on one document count, as far as they succeed.
func TestTicketsOfOneDocumentCount(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t), func(cfg *postgres.Config) { cfg.Committers = 1 })
	held, thaw := make(chan struct{}), make(chan struct{})
	store.Freeze(sync.OnceFunc(func() {
		close(held)
		<-thaw
	}))
	var running sync.WaitGroup
	refused := errors.New("refused")
	run := func(n int) {
		running.Go(func() {
			err := store.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error {
				if len(h.Counts) > 0 {
					t.Errorf("a change was given %+v", h.Counts)
				}
				h.Counts = append(h.Counts, rollout.Count{Epoch: uint64(n % 3), Event: rollout.EventGood, Times: 1})
				if n%5 == 4 {
					return refused
				}
				h.LastBad = int64(n + 1)
				h.Claims = []rollout.Claim{{Intent: intent}}
				return nil
			})
			if err != nil && err != refused {
				t.Error(err)
			}
		})
	}
	run(0)
	<-held
	for n := range 99 {
		run(n + 1) // they wait, and are one batch
	}
	time.Sleep(50 * time.Millisecond)
	close(thaw)
	running.Wait()
	if got := good(t, store); got != 80 {
		t.Errorf("%d of 80 changes count", got)
	}
}

// Rules that fail or panic take no connection with them.
func TestRulesThatFailLeakNothing(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t))
	refused := errors.New("refused")
	for n := range 60 {
		func() {
			defer func() { _ = recover() }()
			rule := func(rollout.Session) (rollout.Ruling, error) {
				if n%2 == 0 {
					panic("oh")
				}
				return rollout.Ruling{}, refused
			}
			if n%4 < 2 {
				_, err := store.Decide(t.Context(), "a", rule)
				t.Log(n, err)
			} else {
				t.Log(n, store.Amend(t.Context(), rule))
			}
		}()
	}
	if !decided(t, store, "a", rollout.Ruling{Plan: rollout.All}) {
		t.Error("it cannot decide any more")
	}
}

// A session that holds the desk, as a gateway does that froze while it thought, is
// ended after one Timeout.
func TestStuckSessionDoesNotStopARuling(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	for _, lock := range []string{"SELECT FROM sluice_desk FOR UPDATE", "SELECT FROM sluice_leader FOR UPDATE"} {
		decided(t, store, "a", rollout.Ruling{Plan: rollout.All})
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), "BEGIN; "+lock); err != nil {
			t.Fatal(err)
		}
		if !decided(t, store, "a", rollout.Ruling{Plan: rollout.All}) {
			t.Errorf("%s: not decided", lock)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("%s: the session lives", lock)
		}
	}
}

// While nobody decides many rows become few; ticks are forgotten, and no other page.
func TestTheDeskIsTidied(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	for n := range 30 {
		if err := count(t.Context(), store, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	const rows = "SELECT count(*) FROM sluice_counts"
	if err := store.Tidy(t.Context(), 31); err != nil || query[int](t, dsn, rows) != 30 {
		t.Errorf("%d rows, %v", query[int](t, dsn, rows), err)
	}
	const pages = `WITH added AS (INSERT INTO sluice_pages (subject, at, body)
		SELECT subject, clock_timestamp() - n * interval '1 hour', int4send(100 - n)
		FROM unnest(ARRAY['ticks', 'trips']) AS s (subject), generate_series(100, 0, -1) AS n RETURNING 1) SELECT count(*) FROM added`
	query[int](t, dsn, pages)
	if err := store.Tidy(t.Context(), 30); err != nil || query[int](t, dsn, rows) != 1 || good(t, store) != 30 {
		t.Errorf("%d rows, of %d events, %v", query[int](t, dsn, rows), good(t, store), err)
	}
	for subject, want := range map[string]int{"ticks": 24, "trips": 101} {
		if kept, err := store.Pages(t.Context(), subject, 1000); err != nil || len(kept) != want || !slices.Equal(kept[0].Body, []byte{0, 0, 0, 100}) {
			t.Errorf("%d pages about %s, %v, want %d", len(kept), subject, err, want)
		}
	}
	query[int](t, dsn, `WITH added AS (INSERT INTO sluice_pages (subject, body) SELECT 'ticks', '' FROM generate_series(1, 100010) RETURNING 1) SELECT count(*) FROM added`)
	if err := store.Tidy(t.Context(), 30); err != nil {
		t.Fatal(err)
	}
	if n := query[int](t, dsn, "SELECT count(*) FROM sluice_pages WHERE subject = 'ticks'"); n != 100_000 {
		t.Errorf("%d ticks are kept", n)
	}
}

// A database of a build that had no desk gets one.
func TestDatabaseWithoutADesk(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	old := open(t, dsn)
	if _, err := take(old, "doc", intent, "a"); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "DROP TABLE sluice_counts, sluice_desk, sluice_pages"); err != nil {
		t.Fatal(err)
	}
	store := open(t, dsn)
	if h, err := store.Get(t.Context(), "doc"); err != nil || h.Version != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	if now, err := store.Look(t.Context()); err != nil || now.State != nil || len(now.Counts) > 0 {
		t.Errorf("%+v, %v", now, err)
	}
	if err := count(t.Context(), store, "doc-2"); err != nil || good(t, store) != 1 {
		t.Errorf("%v, %d events", err, good(t, store))
	}
}
