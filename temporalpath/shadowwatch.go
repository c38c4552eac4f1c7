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

// firstRetry is the pause before workers are asked again that did not say yes; each
// further one is twice as long, up to the interval.
const firstRetry = time.Second

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
	// wanted: shadow runs are, and what is known was said since; guarded by mu.
	wanted bool
}

// NewShadowWatch returns a watch that knows nothing: no route is ready.
func NewShadowWatch(p *Path) *ShadowWatch {
	return &ShadowWatch{path: p, known: map[string]Support{}, heard: map[string]time.Time{}}
}

// Watch asks for all routes at the start, at once when shadow runs come to be wanted, and
// then each interval until ctx ends, or sooner as long as not all say yes. While they are
// not wanted nobody is asked again, and what was said is for people, for a short time.
// wanted must be safe to call from here.
func (w *ShadowWatch) Watch(ctx context.Context, interval time.Duration, wanted func() bool) {
	ticker := time.NewTicker(min(interval, wantedInterval))
	defer ticker.Stop()
	asked, pause, mirroring := time.Now(), time.Duration(0), false
	w.ask(ctx)
	for {
		switch now := wanted(); {
		case !now && (mirroring || time.Since(asked) > declarationHolds):
			w.forget()
			mirroring = false
		case now && (!mirroring || time.Since(asked) >= pause):
			if !mirroring {
				w.want()
				pause = min(firstRetry, interval) / 2
			}
			asked, mirroring = time.Now(), true
			if pause = min(2*pause, interval); w.ask(ctx) {
				pause = interval
			}
		}
		select {
		case <-ctx.Done():
			w.forget()
			return
		case <-ticker.C:
		}
	}
}

// ask asks for all routes at one time, so that one that waits holds up no other. It
// reports whether all are ready.
func (w *ShadowWatch) ask(ctx context.Context) (all bool) {
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
	for name := range w.path.config.Routes {
		if ready, _ := w.ShadowReady(name); !ready {
			return false
		}
	}
	return true
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

// want forgets what was said before shadow runs were wanted: workers come and go.
func (w *ShadowWatch) want() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = true
	clear(w.known)
}

func (w *ShadowWatch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = false
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

// Asked reports whether the route's workers have been asked since shadow runs came to be
// wanted, whatever they said.
func (w *ShadowWatch) Asked(route string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, known := w.known[route]
	return known && w.wanted
}

// Batches reports whether the route's workers take shadow runs many at a time.
func (w *ShadowWatch) Batches(route string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known[route].Batches
}
