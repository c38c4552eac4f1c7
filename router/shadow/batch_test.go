package shadow_test

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/shadow"
)

// roomy has room for many documents.
func roomy(c *shadow.Config) { c.Queue, c.Budget, c.Parallel = 1000, 1<<20, 16 }

// narrow waits for few that take long.
func narrow(c *shadow.Config) { c.Parallel = 2 }

func offerMany(m *shadow.Mirror, prefix string, n int) {
	for i := range n {
		offer(m, fmt.Sprint(prefix, i), 1)
	}
}

// Documents that come within a while run together, as far apart as they came; if there
// are many, it is a shorter while.
func TestDocumentsAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.None, roomy)
		runs(t, m, func() {
			offerMany(m, "few", 5)
			time.Sleep(gather / 2)
			offerMany(m, "more", 5)
			time.Sleep(2 * gather)
			for i := range 64 {
				offer(m, fmt.Sprint("many", i), 1)
				time.Sleep(gather / 128)
			}
			time.Sleep(2 * gather)
			m.Offer(&rollout.Document{Route: "q", DocID: "apart"}, rollout.Answer{Status: 200}, time.Millisecond, nil)
			offer(m, "last", 1)
		})
		want := []batch{{10, gather}, {64, 63 * gather / 128}, {1, gather}, {1, gather}} // one route, one batch
		if !reflect.DeepEqual(s.batches, want) || len(s.compared) != 76 {
			t.Errorf("%v ran together, want %v; %d compared", s.batches, want, len(s.compared))
		}
	})
}

// Large documents are not gathered until there is no room for others.
func TestHalfTheBudgetIsEnoughForABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		m := s.mirror(rollout.None)
		runs(t, m, func() {
			began := time.Now()
			offer(m, "large", 51) // of 100
			synctest.Wait()
			if len(s.compared) != 1 || time.Since(began) > 0 {
				t.Errorf("%d compared after %v", len(s.compared), time.Since(began))
			}
		})
	})
}

// What was switched off meanwhile is not begun.
func TestAKillReachesWhatIsGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		var killed atomic.Bool
		m := s.mirror(rollout.None, roomy, func(c *shadow.Config) {
			c.Policy = func() *rollout.Policy { return &rollout.Policy{Shadow: rollout.All, Kill: killed.Load()} }
		})
		runs(t, m, func() {
			offerMany(m, "killed", 10)
			time.Sleep(gather / 2)
			killed.Store(true)
		})
		if len(s.batches) != 0 || s.dropped[rollout.DropKilled] != 10 {
			t.Errorf("%v ran, %v dropped", s.batches, s.dropped)
		}
	})
}

// Runs that take long hold up the others only once many do, and are all accounted for.
func TestSlowRunsAreWaitedForOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		hanging, most := 0, 0
		s.run = func(_ context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, error) {
			if doc.DocID[0] != 's' {
				return rollout.Run{State: rollout.RunCompleted}, nil
			}
			if wait == linger { // with the others
				return rollout.Run{State: rollout.RunRunning}, nil
			}
			s.mu.Lock()
			hanging++
			most = max(most, hanging)
			s.mu.Unlock()
			time.Sleep(min(wait, 30*time.Second))
			s.mu.Lock()
			hanging--
			s.mu.Unlock()
			if arm == "b" {
				return rollout.Run{}, rollout.ErrDuplicate // which Shadowed fails with too
			}
			return rollout.Run{State: rollout.RunCompleted}, nil
		}
		m := s.mirror(rollout.All, roomy, narrow)
		runs(t, m, func() {
			offer(m, "slow", 1)
			time.Sleep(2 * gather)
			offerMany(m, "quick", 3)
			time.Sleep(2 * gather)
			synctest.Wait()
			if len(s.compared) != 3 {
				t.Errorf("%d compared beside one that is slow", len(s.compared))
			}
			offerMany(m, "s", 7)
			time.Sleep(10 * time.Minute)
			offer(m, "after", 1)
		})
		if most != 2 {
			t.Errorf("%d were waited for at a time, 2 may be", most)
		}
		if len(s.compared) != 12 || len(s.dropped) != 0 {
			t.Errorf("%d of 12 compared, %v dropped", len(s.compared), s.dropped)
		}
		if m.HeldBytes() != 0 {
			t.Errorf("%d bytes are held still", m.HeldBytes())
		}
	})
}

// Runs that hang are waited for until Temporal ends them, however many there are, and are
// no answers.
func TestRunsThatHangAreUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		const limit = time.Minute + 10*time.Second
		starts := map[string]time.Time{}
		s.run = func(_ context.Context, doc *rollout.Document, _ string, wait time.Duration) (rollout.Run, error) {
			s.mu.Lock()
			if _, started := starts[doc.DocID]; !started {
				starts[doc.DocID] = time.Now()
			}
			left := time.Until(starts[doc.DocID].Add(limit))
			s.mu.Unlock()
			time.Sleep(max(0, min(wait, left)))
			return rollout.Run{State: rollout.RunRunning}, nil
		}
		m := s.mirror(rollout.None, roomy, narrow)
		runs(t, m, func() {
			offerMany(m, "hangs", 7)
			time.Sleep(gather + 7*linger + limit)
			synctest.Wait()
			if len(s.compared) != 7 {
				t.Errorf("%d of 7 handed on", len(s.compared))
			}
		})
		for _, e := range s.compared {
			if e.Shadow.State != rollout.RunRunning {
				t.Errorf("%s: %+v after %v", e.DocID, e.Shadow, e.ShadowTook)
			}
		}
		if len(s.dropped) != 0 {
			t.Errorf("%v dropped", s.dropped)
		}
	})
}

// A second run that is not begun yet is not begun any more once mirroring is switched off,
// or the workers keep shadows apart no longer.
func TestNoSecondRunThatIsNotWanted(t *testing.T) {
	for name, off := range map[string]func(killed, unready *atomic.Bool){
		"killed":  func(killed, _ *atomic.Bool) { killed.Store(true) },
		"unready": func(_, unready *atomic.Bool) { unready.Store(true) },
		"neither": func(_, _ *atomic.Bool) {},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage()
			var killed, unready, second atomic.Bool
			s.run = func(_ context.Context, _ *rollout.Document, arm string, wait time.Duration) (rollout.Run, error) {
				if arm == "b" {
					second.Store(true)
				} else if wait == linger {
					return rollout.Run{State: rollout.RunRunning}, nil
				}
				time.Sleep(10 * time.Second)
				return rollout.Run{State: rollout.RunCompleted}, nil
			}
			m := s.mirror(rollout.All, roomy, func(c *shadow.Config) {
				c.Policy = func() *rollout.Policy { return &rollout.Policy{Shadow: rollout.All, Kill: killed.Load()} }
				c.Ready = func(string) bool { return !unready.Load() }
			})
			runs(t, m, func() {
				offer(m, "slow", 1)
				time.Sleep(gather + 5*time.Second)
				off(&killed, &unready)
				time.Sleep(time.Minute)
			})
			if wanted := name == "neither"; second.Load() != wanted || len(s.compared) != 1 || (s.compared[0].Again != nil) != wanted {
				t.Errorf("%s: begun %v, compared %+v", name, second.Load(), s.compared)
			}
		})
	}
}
