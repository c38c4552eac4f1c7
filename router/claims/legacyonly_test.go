package claims_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/claims"
)

// register is a store with these open claims and books.
type register struct {
	mu    *sync.Mutex // of the fields below
	open  []rollout.Path
	books rollout.Books
	err   error
	slow  atomic.Int64 // how long a look takes, in nanoseconds
	looks int
}

func (r *register) Open(ctx context.Context, visit func(*rollout.Holding) error) error {
	time.Sleep(time.Duration(r.slow.Load()))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
	for _, path := range r.open {
		h := &rollout.Holding{Claims: []rollout.Claim{{Path: path, State: rollout.ClaimOpen}}}
		if err := visit(h); err != nil {
			return err
		}
	}
	return errors.Join(r.err, ctx.Err())
}

func (r *register) Books(context.Context) (rollout.Books, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.books, r.err
}

// policyAt returns a policy of an epoch, with an exposure and a share to be mirrored.
func policyAt(epoch uint64, exposure, shadow rollout.Exposure) *rollout.Policy {
	return rollout.Reading{Rollout: exposure, Shadow: shadow}.Policy(epoch)
}

// watched is a LegacyOnly in a bubble, and all that it goes by.
type watched struct {
	*claims.LegacyOnly
	mu          sync.Mutex // of all below, while it is watched
	t           *testing.T
	register    register
	own, agreed *rollout.Policy
	outdated    bool
}

func watch(t *testing.T, change func(*watched)) *watched {
	w := &watched{t: t, own: policyAt(1, rollout.None, rollout.None), agreed: policyAt(1, rollout.None, rollout.None)}
	if change != nil {
		change(w)
	}
	w.register.mu = &w.mu
	w.LegacyOnly = claims.NewLegacyOnly(claims.LegacyOnlyConfig{
		Register: &w.register, Horizon: 15 * time.Minute, Timeout: time.Minute,
		Policy:   func() *rollout.Policy { w.mu.Lock(); defer w.mu.Unlock(); return w.own },
		Agreed:   func() *rollout.Policy { w.mu.Lock(); defer w.mu.Unlock(); return w.agreed },
		Outdated: func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.outdated },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Watch(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

// change changes what the watcher goes by.
func (w *watched) change(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
}

// want lets time pass and then checks what it says.
func (w *watched) want(after time.Duration, holds bool, when string) {
	w.t.Helper()
	time.Sleep(after)
	synctest.Wait()
	if w.Holds() != holds {
		w.t.Errorf("%s: it says %v", when, !holds)
	}
}

// settled is a book in which one document was completed on a path.
func settled(path rollout.Path) (books rollout.Books) {
	books.Post(rollout.Posting{Route: "documents", Path: path, State: rollout.ClaimDone})
	return books
}

// What is wrong from the start: each by itself means no, for ever.
func TestNotLegacyOnly(t *testing.T) {
	for name, change := range map[string]func(*watched){
		"exposed":                 func(w *watched) { w.own = policyAt(1, 1, 0) },
		"exposed elsewhere":       func(w *watched) { w.agreed = policyAt(1, 1, 0) },
		"mirroring":               func(w *watched) { w.own = policyAt(1, 0, 1) },
		"mirroring elsewhere":     func(w *watched) { w.agreed = policyAt(1, 0, 1) },
		"nothing agreed on yet":   func(w *watched) { w.agreed = &rollout.Policy{} },
		"an open claim there":     func(w *watched) { w.register.open = []rollout.Path{rollout.Legacy, rollout.Temporal} },
		"the store is away":       func(w *watched) { w.register.err = errors.New("as ordered") },
		"records may be outdated": func(w *watched) { w.outdated = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, change)
				w.want(0, false, "at first")
				w.want(time.Hour, false, "later")
			})
		})
	}
}

func TestLegacyOnly(t *testing.T) {
	for name, change := range map[string]func(*watched){
		"nothing anywhere": nil,
		"legacy's claims":  func(w *watched) { w.register.open = []rollout.Path{rollout.Legacy} },
		"legacy's books":   func(w *watched) { w.register.books = settled(rollout.Legacy) },
		"killed at 100 %": func(w *watched) {
			w.own = &rollout.Policy{Flag: rollout.All, Plan: rollout.All, Brake: rollout.All, Shadow: rollout.All, Kill: true}
		},
		"braked from 100 %": func(w *watched) { w.own = &rollout.Policy{Flag: rollout.All, Plan: rollout.All} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, change)
				w.want(0, true, "at once")
				w.want(time.Hour, true, "later")
			})
		})
	}
}

// Nobody looks while something may go to Temporal.
func TestNobodyLooksWhileExposed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, func(w *watched) { w.own = policyAt(1, 1, 0) })
		w.want(time.Minute, false, "exposed")
		if w.register.looks > 0 {
			t.Errorf("%d looks", w.register.looks)
		}
	})
}

// A rise counts at once; and after the way back a retry of what was completed on
// Temporal must not run again, as long as the claims hold retries.
func TestAfterTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, nil)
		w.want(0, true, "at first")
		w.change(func() { w.own = policyAt(2, rollout.All, 0) })
		w.want(0, false, "raised")
		w.change(func() { w.register.books = settled(rollout.Temporal) })
		w.change(func() { w.own = policyAt(3, 0, 0) }) // before anybody looked
		w.want(0, false, "lowered, and nobody looked since")
		w.want(2*time.Second, false, "lowered")
		w.want(10*time.Minute, false, "lowered for ten minutes")
		w.change(func() { w.register.open = []rollout.Path{rollout.Temporal} }) // as after an operator's correction
		w.want(2*time.Second, false, "an open claim")
		w.change(func() { w.register.open = nil })
		w.want(14*time.Minute, false, "fourteen minutes after that")
		w.want(2*time.Minute, true, "after the horizon")
		w.change(func() { w.own = policyAt(4, 0, 0) })
		w.want(0, false, "another policy")
	})
}

// A look that hangs is not trusted for longer than a look may take.
func TestALookThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, nil)
		w.want(0, true, "at first")
		w.register.slow.Store(int64(time.Hour))
		w.want(2*time.Second, true, "just now")
		w.want(5*time.Second, false, "after a while")
	})
}
