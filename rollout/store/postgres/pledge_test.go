package postgres_test

import (
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// member is a gateway that pledges. Its floor follows what is sought, unless it has
// something that is not on record.
type member struct {
	*postgres.Store
	name    string
	owing   bool
	horizon time.Duration
	floor   rollout.Exposure // the last that was agreed
}

func joined(t *testing.T, dsn, name string) *member {
	t.Helper()
	return &member{Store: open(t, dsn), name: name, horizon: time.Hour}
}

func (m *member) offer(t *testing.T, want rollout.Policy) rollout.Accord {
	t.Helper()
	accord, err := m.Offer(t.Context(), m.name, want, func(sought rollout.Exposure) rollout.Pledge {
		p := rollout.Pledge{Floor: m.floor, For: m.horizon}
		if !m.owing {
			p.Floor = max(sought, want.Exposure())
		}
		return p
	})
	if err != nil {
		t.Fatal(err)
	}
	if accord.Floor < accord.Mark {
		t.Fatalf("%s may send what is below the mark: %+v", m.name, accord)
	}
	m.floor = accord.Floor
	return accord
}

func exposed(t *testing.T, percent float64) rollout.Exposure {
	t.Helper()
	e, err := rollout.ParsePercent(percent)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLoneGatewayRaisesAtOnce(t *testing.T) {
	t.Parallel()
	a := joined(t, server.Database(t), "a")
	for _, p := range []float64{10, 60, 5, 100} {
		accord := a.offer(t, percent(t, p))
		if got := accord.Policy.Exposure(); got != exposed(t, p) || accord.Floor != accord.Mark {
			t.Errorf("asked for %v %%: %+v", p, accord)
		}
	}
}

// A raise waits for every gateway's floor, and a fall for none.
func TestRaiseWaitsForFloors(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	a.offer(t, percent(t, 10))
	b.offer(t, percent(t, 10))
	b.owing = true
	for _, p := range []float64{60, 5, 100, 0, 60} {
		want := min(exposed(t, p), exposed(t, 10))
		if got := a.offer(t, percent(t, p)); got.Policy.Exposure() != want || got.Mark != exposed(t, 10) {
			t.Errorf("asked for %v %% while b holds it at 10 %%: %+v", p, got)
		}
		if got := b.offer(t, percent(t, 0)); got.Floor != exposed(t, 10) {
			t.Errorf("b's floor is %v", got.Floor)
		}
	}
	b.owing = false
	drain(a.Changes())
	if got := b.offer(t, percent(t, 0)); got.Floor != exposed(t, 60) || got.Mark != exposed(t, 10) {
		t.Errorf("b follows what is sought: %+v", got)
	}
	wakes(t, a.Changes())
	if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 60) {
		t.Errorf("b is ready, and yet: %+v", got)
	}
}

func drain(changes <-chan struct{}) {
	for {
		select {
		case <-changes:
		case <-time.After(200 * time.Millisecond):
			return
		}
	}
}

func wakes(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(20 * time.Second):
		t.Error("nobody is told of it")
	}
}

// What was sought and never came into force keeps nothing up.
func TestFloorFallsWithWhatIsSought(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	a.offer(t, percent(t, 10))
	b.offer(t, percent(t, 10))
	b.owing = true
	a.offer(t, percent(t, 100))
	if a.floor != rollout.All {
		t.Errorf("the leader's floor is %v while it wants everything", a.floor)
	}
	if got := a.offer(t, percent(t, 5)); got.Floor != exposed(t, 10) {
		t.Errorf("the leader's floor is %v after it has given up", got.Floor)
	}
}

// A pledge that its gateway has given up on arrives after a later one, which has a
// lower floor: the lower one is what the gateway keeps to.
func TestLatePledgeChangesNothing(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	a.offer(t, percent(t, 10))
	b.offer(t, percent(t, 60)) // it follows what it wants itself
	if got := b.offer(t, percent(t, 0)); got.Floor != exposed(t, 10) {
		t.Fatalf("b's floor did not fall: %+v", got)
	}
	b.Late(2)
	b.offer(t, percent(t, 60)) // the first, late
	b.owing = true
	if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 10) {
		t.Errorf("b keeps to 10 %%, and this is in force: %+v", got)
	}
}

// The floor of a gateway that is gone holds until its pledge ends; it ends at once
// when the gateway leaves, or another says that nothing of it is left.
func TestPledgesEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, dsn string, a, b *member){
		"its time is over": func(t *testing.T, dsn string, _, _ *member) {
			query[int](t, dsn, "WITH u AS (UPDATE sluice_pledges SET expires = clock_timestamp() WHERE owner = 'b' RETURNING 1) SELECT count(*) FROM u")
		},
		"it left": func(t *testing.T, _ string, _, b *member) {
			if err := b.Leave(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
		},
		"it has a successor": func(t *testing.T, dsn string, _, b *member) {
			pledge := func(sought rollout.Exposure) rollout.Pledge {
				return rollout.Pledge{Floor: sought, For: time.Hour, Succeeds: []string{"b"}}
			}
			if _, err := b.Offer(t.Context(), "b2", rollout.Policy{}, pledge); err != nil {
				t.Fatal(err)
			}
		},
		"it pledges no more": func(t *testing.T, _ string, _, b *member) {
			if got, _, err := offered(t, b.Store, "b", rollout.Policy{}); err != nil || got.Epoch == 0 {
				t.Fatalf("%+v, %v", got, err)
			}
			b.horizon = 0
			if _, err := b.Offer(t.Context(), "b", rollout.Policy{}, func(rollout.Exposure) rollout.Pledge { return rollout.Pledge{Succeeds: []string{"b"}} }); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := server.Database(t)
			a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
			a.offer(t, percent(t, 10))
			b.offer(t, percent(t, 10))
			if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 10) {
				t.Fatalf("b's floor does not hold: %+v", got)
			}
			end(t, dsn, a, b)
			if got := a.offer(t, percent(t, 60)); got.Policy.Exposure() != exposed(t, 60) {
				t.Errorf("%+v", got)
			}
			if name == "it has a successor" || name == "it left" {
				return
			}
			if got := joined(t, dsn, "c").offer(t, percent(t, 0)); got.Floor < got.Mark {
				t.Errorf("whoever comes later begins below the mark: %+v", got)
			}
		})
	}
}

// A pledge that is made while the mark rises is either seen by the raise, or sees
// the raised mark.
func TestPledgesRaceWithTheRaise(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	a.offer(t, percent(t, 1))
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			// New each time, at whatever floor is lowest.
			if err := b.Leave(t.Context(), "b"); err != nil {
				t.Error(err)
				return
			}
			b.owing, b.floor = true, 0
			b.offer(t, percent(t, 0))
		}
	}()
	for p := 2.0; p <= 60; p++ {
		a.offer(t, percent(t, p))
		const broken = "SELECT count(*) FROM sluice_pledges, sluice_control WHERE floor < mark"
		if n := query[int](t, dsn, broken); n != 0 {
			t.Errorf("%d floors are below the mark", n)
		}
	}
	close(stop)
	<-done
}

// What the wait is for: a document that a gateway has sent to legacy without a
// claim. With the wait a retry elsewhere goes to legacy too. Once the pledge is
// forgotten before its time, the retry goes to Temporal, and the document is on both.
func TestWithoutTheWaitADocumentIsOnBothPaths(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := joined(t, dsn, "a"), joined(t, dsn, "b")
	a.offer(t, percent(t, 10))
	b.offer(t, percent(t, 10))
	ask := rollout.Ask{Intent: intent, Bucket: 500_000, Temporal: true}
	if b.owing = ask.PassesAway(b.floor); !b.owing {
		t.Fatalf("b may not send it at a floor of %v", b.floor)
	}
	retry := func(owner string) (grant rollout.Grant) {
		ask.Owner = owner
		err := a.Update(t.Context(), "doc "+owner, func(h *rollout.Holding, at rollout.Instant) (err error) {
			grant, err = h.Take(ask, at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return grant
	}
	a.offer(t, percent(t, 60))
	if got := retry("a"); got.Path != rollout.Legacy {
		t.Errorf("the document is on both paths: %+v", got)
	}
	query[int](t, dsn, "WITH gone AS (DELETE FROM sluice_pledges WHERE owner = 'b' RETURNING 1) SELECT count(*) FROM gone")
	a.offer(t, percent(t, 60))
	if got := retry("a, too early"); got.Path != rollout.Temporal {
		t.Errorf("this test cannot fail: %+v", got)
	}
}

// A new migration's buckets are others: it exposes nothing while an old pledge
// holds, and while its own gateways cannot know what the old one left, they send
// nothing without a claim.
func TestPledgeOfAnotherMigration(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	old := joined(t, dsn, "old")
	old.offer(t, percent(t, 30))
	if _, err := take(old.Store, "doc", intent, "old"); err != nil {
		t.Fatal(err)
	}
	err := old.Update(t.Context(), "doc", func(h *rollout.Holding, at rollout.Instant) error {
		return h.Force(intent, h.Claims[0].Life, rollout.ClaimDone, at)
	})
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, dsn, func(cfg *postgres.Config) { cfg.Migration = "another/v1" })
	next := &member{Store: store, name: "next", horizon: time.Hour}
	query[int](t, dsn, "WITH u AS (UPDATE sluice_leader SET expires = clock_timestamp() RETURNING 1) SELECT count(*) FROM u")
	if got := next.offer(t, percent(t, 30)); got.Policy.Exposure() != 0 || got.Mark != 0 || got.Floor != rollout.All {
		t.Errorf("while the old pledge holds: %+v", got)
	}
	if err := next.Leave(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	if got := next.offer(t, percent(t, 30)); got.Policy.Exposure() != exposed(t, 30) || got.Floor != rollout.All {
		t.Errorf("while old claims hold their retries: %+v", got)
	}
	query[int](t, dsn, "WITH u AS (UPDATE sluice_control SET foreign_until = 1 RETURNING 1) SELECT count(*) FROM u")
	if got := next.offer(t, percent(t, 30)); got.Floor != exposed(t, 30) {
		t.Errorf("later: %+v", got)
	}
}
