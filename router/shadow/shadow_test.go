package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/shadow"
)

// stage is a mirror whose Temporal and evidence are functions of the test's.
type stage struct {
	run    func(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, error)
	ready  bool
	asked  atomic.Bool
	busy   bool
	noted  error
	policy rollout.Policy
	id     string // of the document

	mu       sync.Mutex
	compared []*rollout.Exchange
	dropped  map[rollout.DropReason]int
	begun    map[string]bool
	batches  []batch
}

// batch is how many documents ran together, and over what time.
type batch struct {
	n    int
	over time.Duration
}

// linger is how long Together waits.
const linger = 2 * time.Second

func (s *stage) Together(ctx context.Context, _ string, twins []rollout.Twin, over time.Duration) []rollout.Mirrored {
	s.mu.Lock()
	s.batches = append(s.batches, batch{len(twins), over})
	s.mu.Unlock()
	all := make([]rollout.Mirrored, len(twins))
	for i, twin := range twins {
		m := &all[i]
		began := time.Now()
		m.Run, m.Err = s.run(ctx, twin.Doc, "a", linger)
		m.Took = time.Since(began)
		if twin.Pair && m.Err == nil && m.Run.State != rollout.RunRunning {
			if again, err := s.run(ctx, twin.Doc, "b", linger); err == nil && again.State != rollout.RunRunning {
				m.Again = &again
			}
		}
	}
	return all
}

func (s *stage) Shadow(ctx context.Context, doc *rollout.Document, arm string) (rollout.Run, error) {
	return s.run(ctx, doc, arm, time.Minute)
}

func (s *stage) Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, time.Duration, error) {
	began := time.Now()
	run, err := s.run(ctx, doc, arm, wait)
	return run, time.Since(began), err
}

func (s *stage) Begin(_, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun[id] {
		return rollout.ErrDuplicate
	}
	s.begun[id] = true
	return nil
}

func (s *stage) Noted(context.Context) error { return s.noted }

func (s *stage) Compared(e *rollout.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.compared = append(s.compared, e)
}

func (s *stage) Dropped(_, _ string, reason rollout.DropReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped[reason]++
}

func newStage() *stage {
	s := &stage{ready: true, id: "a", dropped: map[rollout.DropReason]int{}, begun: map[string]bool{}, policy: rollout.Policy{Shadow: rollout.All},
		run: func(context.Context, *rollout.Document, string, time.Duration) (rollout.Run, error) {
			return rollout.Run{State: rollout.RunCompleted, Answer: rollout.Answer{Status: 200}}, nil
		}}
	s.asked.Store(true)
	return s
}

func (s *stage) mirror(pairs rollout.Exposure, changes ...func(*shadow.Config)) *shadow.Mirror {
	config := shadow.Config{
		Temporal: s, ID: func(doc *rollout.Document) string { return doc.DocID + "/a" },
		Oversize: func(doc *rollout.Document) bool { return doc.DocID == "oversize" },
		Ready:    func(string) bool { return s.ready }, Asked: func(string) bool { return s.asked.Load() }, Evidence: s, Policy: func() *rollout.Policy { return &s.policy }, Busy: func() bool { return s.busy },
		Salt: "test", Pairs: pairs, Queue: 3, Budget: 100, Largest: 60, Gather: gather, Parallel: 2, Patience: time.Minute,
	}
	for _, change := range changes {
		change(&config)
	}
	return shadow.New(config)
}

func offer(m *shadow.Mirror, id string, size int) {
	m.Offer(&rollout.Document{Route: "r", DocID: id, Body: make([]byte, size)}, rollout.Answer{Status: 200}, time.Millisecond, nil)
}

const gather = time.Second

// runs has the mirror at work in a bubble until the test's function returns, and
// all is idle.
func runs(t *testing.T, m *shadow.Mirror, during func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	during()
	time.Sleep(2 * gather)
	synctest.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if m.HeldBytes() != 0 || m.Waiting() != 0 {
		t.Errorf("%d bytes of %d documents are held for nothing", m.HeldBytes(), m.Waiting())
	}
}

func TestMirroredOnceWithBothAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.None)
		runs(t, m, func() { offer(m, "a", 1) })
		if len(s.compared) != 1 || len(s.begun) != 1 || len(s.dropped) != 0 {
			t.Fatalf("%d compared, %d begun, %v dropped", len(s.compared), len(s.begun), s.dropped)
		}
		if e := s.compared[0]; e.ID != "a/a" || e.Again != nil || e.PrimaryTook != time.Millisecond {
			t.Errorf("%+v", e)
		}
	})
}

func TestPairsRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.All)
		runs(t, m, func() { offer(m, "a", 1) })
		if len(s.compared) != 1 || s.compared[0].Again == nil {
			t.Fatal("there was no second run")
		}
	})
}

// Nothing runs yet: what is offered waits, up to the bounds, and all else is
// dropped by its reason, without waiting.
func TestBoundsDropByReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.None)
		offer(m, "large", 61)
		offer(m, "1", 60)
		offer(m, "bytes", 41)
		offer(m, "2", 1)
		offer(m, "3", 1)
		offer(m, "queue", 1)
		cut := rollout.DropPrimary
		m.Offer(&rollout.Document{Route: "r"}, rollout.Answer{}, 0, &cut)
		s.busy = true
		offer(m, "busy", 1)
		if m.HeldBytes() != 62 || m.Waiting() != 3 {
			t.Errorf("%d bytes of %d documents are held", m.HeldBytes(), m.Waiting())
		}
		want := map[rollout.DropReason]int{rollout.DropTooLarge: 1, rollout.DropBytes: 1, rollout.DropQueue: 1, rollout.DropPrimary: 1, rollout.DropBusy: 1}
		if fmt.Sprint(s.dropped) != fmt.Sprint(want) {
			t.Errorf("%v dropped, want %v", s.dropped, want)
		}
		s.busy = false
		runs(t, m, func() {})
		offer(m, "late", 1)
		if len(s.compared)+s.dropped[rollout.DropRestart] != 4 || s.dropped[rollout.DropRestart] == 0 {
			t.Errorf("%d compared, %v dropped", len(s.compared), s.dropped)
		}
	})
}

// Answers are held from their first byte on: all that are on their way together keep
// to the budget, and what is held is given back once, however it ends.
func TestAnswersOnTheirWayKeepToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.None)
		held := func(want int64) {
			t.Helper()
			if got := m.HeldBytes(); got != want {
				t.Errorf("%d bytes are held, want %d", got, want)
			}
		}
		hold := func(kept, more int, full rollout.DropReason, ok bool) {
			t.Helper()
			if gotFull, got := m.Hold(kept, more); got != ok || gotFull != full {
				t.Errorf("%d more than %d: %v, %v", more, kept, got, gotFull)
			}
		}
		hold(0, 40, 0, true)                      // one
		hold(0, 50, 0, true)                      // another
		hold(0, 11, rollout.DropBytes, false)     // a third finds no room
		hold(50, 11, rollout.DropTooLarge, false) // the second is too large after all
		held(40)
		hold(40, 20, 0, true)
		held(60)
		cut := rollout.DropPrimary
		m.Offer(&rollout.Document{Route: "r", Body: make([]byte, 5)}, rollout.Answer{Status: 200, Body: make([]byte, 60)}, 0, &cut)
		held(0)
		hold(0, 40, 0, true)
		m.Offer(&rollout.Document{Route: "r", DocID: "a", Body: make([]byte, 20)}, rollout.Answer{Status: 200, Body: make([]byte, 40)}, 0, nil)
		held(60)
		runs(t, m, func() {})
		if len(s.compared) != 1 || s.dropped[rollout.DropPrimary] != 1 || len(s.dropped) != 1 {
			t.Errorf("%d compared, %v dropped", len(s.compared), s.dropped)
		}
	})
}

func TestRunsThatFailAreDroppedByReason(t *testing.T) {
	for reason, prepare := range map[rollout.DropReason]func(*stage){
		rollout.DropUnsupported: func(s *stage) { s.ready = false },
		rollout.DropTooLarge:    func(s *stage) { s.id = "oversize" },
		rollout.DropKilled:      func(s *stage) { s.policy.Kill = true },
		rollout.DropStore:       func(s *stage) { s.noted = errors.New("away") },
		rollout.DropDuplicate:   func(s *stage) { s.run = failing(rollout.ErrDuplicate) },
		rollout.DropTemporal:    func(s *stage) { s.run = failing(rollout.ErrNotAccepted) },
		rollout.DropUnknown:     func(s *stage) { s.run = failing(errors.New("cut off")) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage()
			started := false
			run := s.run
			s.run = func(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, error) {
				started = true
				return run(ctx, doc, arm, wait)
			}
			prepare(s)
			m := s.mirror(rollout.All)
			runs(t, m, func() { offer(m, s.id, 1) })
			if s.dropped[reason] != 1 || len(s.compared) != 0 {
				t.Errorf("%v: %v dropped, %d compared", reason, s.dropped, len(s.compared))
			}
			if started {
				t.Errorf("%v: it was started", reason)
			}
		})
	}
}

func failing(err error) func(context.Context, *rollout.Document, string, time.Duration) (rollout.Run, error) {
	return func(context.Context, *rollout.Document, string, time.Duration) (rollout.Run, error) {
		return rollout.Run{}, err
	}
}

// A gateway that stops drops what runs; one that never ends is handed on as such.
func TestStopAndPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		s.run = func(ctx context.Context, _ *rollout.Document, _ string, wait time.Duration) (rollout.Run, error) {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
			return rollout.Run{State: rollout.RunRunning}, nil
		}
		m := s.mirror(rollout.All)
		runs(t, m, func() {
			offer(m, "slow", 1)
			time.Sleep(2 * time.Minute)
			offer(m, "cut", 1)
			time.Sleep(gather + linger)
		})
		if len(s.compared) != 1 || s.compared[0].Shadow.State != rollout.RunRunning || s.dropped[rollout.DropRestart] != 1 {
			t.Errorf("%d compared, %v dropped", len(s.compared), s.dropped)
		}
	})
}

func TestSampledByItsOwnHash(t *testing.T) {
	m := newStage().mirror(rollout.None)
	half := &rollout.Policy{Shadow: rollout.All / 2}
	split := rollout.NewSplitter("test")
	both, sampled := 0, 0
	for i := range 4000 {
		id := fmt.Sprint("doc-", i)
		if !m.Sampled(half, id) {
			continue
		}
		sampled++
		if half.Shadow.Includes(split.Bucket(id)) {
			both++
		}
	}
	if sampled < 1800 || sampled > 2200 || both < sampled*4/10 || both > sampled*6/10 {
		t.Errorf("%d of 4000 sampled, %d of them in the split's own half: the two must be independent", sampled, both)
	}
	if m.Sampled(&rollout.Policy{Shadow: rollout.All, Kill: true}, "a") || m.Sampled(&rollout.Policy{}, "a") {
		t.Error("sampled though killed, or at 0 %")
	}
}
