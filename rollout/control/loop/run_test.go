package loop

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/control"
)

// stand is a desk of several gateways, with a leader by lease, as a store is one.
type stand struct {
	*table
	mu      sync.Mutex // guards all of it
	leader  string
	until   time.Time
	away    map[string]bool // gateways that are cut off
	decided []string
}

const term = 2500 * time.Millisecond

var errAway = errors.New("the store is away")

// seat is the desk as one gateway sees it.
type seat struct {
	*stand
	name string
}

func (s seat) Decide(_ context.Context, owner string, rule func(rollout.Session) (rollout.Ruling, error)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away[s.name] {
		return false, errAway
	}
	now := time.Now()
	if s.leader != owner && now.Before(s.until) {
		return false, nil
	}
	s.leader, s.until = owner, now.Add(term)
	s.session.Now = now
	ruling, err := rule(s.session)
	if err != nil {
		return true, err
	}
	s.put(ruling)
	s.session.Counts = nil
	s.decided = append(s.decided, owner)
	return true, nil
}

func (s seat) Amend(_ context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away[s.name] {
		return errAway
	}
	session := s.session
	session.Now, session.Counts = time.Now(), nil
	ruling, err := rule(session)
	if err == nil {
		s.put(ruling)
	}
	return err
}

func (s seat) Look(context.Context) (rollout.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away[s.name] {
		return rollout.Session{}, errAway
	}
	session := s.session
	session.Now = time.Now()
	return session, nil
}

// around knows only the flag.
type around struct{ *stand }

func (a *around) Facts() Facts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Facts{Flag: a.flag, Documents: nil, Comparisons: a.facts.Comparisons}
}
func (a *around) Failed(context.Context) []Document { return []Document{{DocID: "doc-7"}} }
func (a *around) Lower(rollout.Brake)               {}
func (a *around) Ruled(*control.Decision)           {}

// after lets time pass, and then has the stand to itself.
func (s *stand) after(d time.Duration, look func()) {
	time.Sleep(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	look()
}

func newStand(t *testing.T, steps ...control.Step) *stand {
	s := &stand{table: newTable(t, steps...), away: map[string]bool{}}
	return s
}

func (s *stand) gateway(ctx context.Context, name string) *Loop {
	l := New(Settings{Config: s.config, Desk: seat{s, name}, Around: &around{stand: s}, Owner: name, Timeout: time.Second, Log: zap.NewNop()})
	go func() { _ = l.Run(ctx) }()
	return l
}

// A limit that is crossed is acted on within half a second, by whoever leads; the
// end of the second is not waited for.
func TestAPeekActsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newStand(t)
		s.in(100_000)
		s.gateway(ctx, "a")
		rolledBack := false
		for i := range 50 {
			s.after(time.Second+time.Duration(i)*17*time.Millisecond, func() {
				s.docs(rollout.Legacy, 90, 1)
				s.docs(rollout.Temporal, 5, 5)
			})
			s.after(peekInterval+time.Millisecond, func() {
				if rolledBack = s.session.Brake.Exposure == rollout.None; rolledBack {
					return
				}
				probe := s.session
				probe.Now = time.Now()
				v, err := s.config.Rule(probe, &Facts{Flag: s.flag})
				if err != nil || v.Decision.Action == control.Rollback {
					t.Errorf("%v: a limit was crossed %s ago, and the leader has not acted", err, peekInterval)
				}
			})
			if rolledBack {
				if len(s.pages[SubjectTrips]) != 1 {
					t.Error("no report")
				}
				return
			}
		}
		t.Error("nothing was rolled back")
	})
}

// The decider is cut off or dies: another decides within three seconds, and goes on
// where it was.
func TestAnotherDecidesWithinThreeSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newStand(t)
		for _, name := range []string{"a", "b", "c"} {
			s.gateway(ctx, name)
		}
		first, n := "", 0
		s.after(5*time.Second, func() { first, n = s.leader, len(s.decided); s.away[first] = true })
		s.after(term+decideInterval, func() {
			if len(s.decided) == n || s.leader == first {
				t.Fatalf("%q leads still, %d decisions since", s.leader, len(s.decided)-n)
			}
			s.away[first], n = false, len(s.decided)
		})
		s.after(10*time.Second, func() {
			if made := len(s.decided) - n; made < 9 || made > 11 {
				t.Errorf("%d decisions in 10 s", made)
			}
		})
	})
}

// A leader that is cut off decides nothing, so nothing it thinks rises.
func TestALeaderThatIsCutOffRaisesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newStand(t, control.Step{Name: "one", Exposure: 10_000, Dwell: 3 * time.Second}, control.Step{Name: "all", Exposure: rollout.All})
		l := s.gateway(ctx, "a")
		s.after(2*time.Second, func() { s.away["a"] = true })
		s.after(time.Minute, func() {
			if e, known := l.Ceiling(); e != 10_000 || !known || s.session.Policy.Plan != 10_000 {
				t.Errorf("cut off, the plan rose to %v (%v)", e, s.session.Policy.Plan)
			}
			s.away["a"] = false
		})
		s.after(time.Minute, func() {
			if e, _ := l.Ceiling(); e != rollout.All {
				t.Errorf("a minute later the plan is at %v", e)
			}
		})
	})
}

// deafSeat cannot look any more once it has amended.
type deafSeat struct{ seat }

func (deafSeat) Look(context.Context) (rollout.Session, error) { return rollout.Session{}, errAway }

// An act that is on record was done, whether or not it can be read back.
func TestAnActThatIsDoneIsNoFailure(t *testing.T) {
	s := newStand(t, plan()...)
	l := New(Settings{Config: s.config, Desk: deafSeat{seat{s, "a"}}, Around: &around{stand: s}, Owner: "a", Timeout: time.Second, Log: zap.NewNop()})
	if err := l.Steer(t.Context(), ActionHold, "", Signed("ann", "why", time.Now())); err != nil {
		t.Error(err)
	}
	if st, err := Parse(s.session.State); err != nil || st.Progress.Held == nil {
		t.Errorf("%v: it is not on record", err)
	}
}

// Before anything is known the plan is at its first step.
func TestNothingKnownIsTheFirstStep(t *testing.T) {
	s := newStand(t, control.Step{Name: "shadow"}, control.Step{Name: "all", Exposure: rollout.All})
	s.away["a"] = true
	l := New(Settings{Config: s.config, Desk: seat{s, "a"}, Around: &around{stand: s}, Owner: "a", Timeout: time.Second, Log: zap.NewNop()})
	if err := l.Learn(t.Context()); err == nil {
		t.Fatal("it learnt something from a desk that is away")
	}
	if e, known := l.Ceiling(); e != rollout.None || known {
		t.Errorf("the ceiling is %v, known %v", e, known)
	}
	if err := l.Steer(t.Context(), ActionHold, "", control.Act{}); !errors.Is(err, errAway) {
		t.Error(err)
	}
	if l.Thresholds() != (rollout.Thresholds{}) || l.State() != nil {
		t.Error("it knows thresholds or a state")
	}
}
