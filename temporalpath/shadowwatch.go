package temporalpath

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// wantedInterval is how often a ShadowWatch looks whether shadow runs are wanted.
const wantedInterval = 250 * time.Millisecond

// declarationHolds is how long a declaration holds while nobody answers: shadow
// runs themselves keep workers busy.
const declarationHolds = 2 * time.Minute

// ShadowWatch knows which routes' workers support shadow runs. It asks again and
// again, because workers come and go: a route is ready on what they last said.
type ShadowWatch struct {
	path *Path

	mu    sync.Mutex
	known map[string]Support   // by route, guarded by mu
	heard map[string]time.Time // when they last declared it, by route, guarded by mu
}

// NewShadowWatch returns a watch that knows nothing: no route is ready.
func NewShadowWatch(p *Path) *ShadowWatch {
	return &ShadowWatch{path: p, known: map[string]Support{}, heard: map[string]time.Time{}}
}

// Watch asks for all routes each interval until ctx ends, and at once when shadow
// runs come to be wanted. While they are not, nobody is asked and no route is ready.
// wanted must be safe to call from here.
func (w *ShadowWatch) Watch(ctx context.Context, interval time.Duration, wanted func() bool) {
	ticker := time.NewTicker(min(interval, wantedInterval))
	defer ticker.Stop()
	var asked time.Time
	for {
		switch {
		case !wanted():
			w.forget()
			asked = time.Time{}
		case asked.IsZero() || time.Since(asked) >= interval:
			asked = time.Now()
			w.ask(ctx)
		}
		select {
		case <-ctx.Done():
			w.forget()
			return
		case <-ticker.C:
		}
	}
}

// ask asks for all routes at one time, so that one that waits holds up no other.
func (w *ShadowWatch) ask(ctx context.Context) {
	var group sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(w.path.config.Routes)) {
		group.Go(func() {
			support, err := w.path.ShadowSupport(ctx, name)
			if err != nil {
				support = unsupported("Temporal cannot be asked about shadow support: %v", err)
			}
			w.learn(name, support, time.Now())
		})
	}
	group.Wait()
}

// learn takes an answer over. No answer takes nothing back for a while.
func (w *ShadowWatch) learn(route string, support Support, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if support.OK {
		w.heard[route] = now
	}
	if support.Unheard && w.known[route].OK && now.Sub(w.heard[route]) < declarationHolds {
		return
	}
	w.known[route] = support
}

func (w *ShadowWatch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.known)
	clear(w.heard)
}

// ShadowReady reports whether shadow runs of the route may be started; if not, it
// says why.
func (w *ShadowWatch) ShadowReady(route string) (ready bool, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	support, known := w.known[route]
	if !known {
		return false, "the workers have not been asked yet for shadow support"
	}
	return support.OK, support.Reason
}

// Batches reports whether the route's workers take shadow runs many at a time.
func (w *ShadowWatch) Batches(route string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[route].Batches
}
