package temporalpath

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/temporalpath/closing"
)

const (
	// wantedInterval is how often is looked whether shadow runs are wanted.
	wantedInterval = 250 * time.Millisecond
	// firstRetry is the pause before workers are looked at again that did not declare
	// anything; each further one is twice as long, up to the interval.
	firstRetry = time.Second
	// askAgain is how often workers are asked that have answered, if no other ones come.
	askAgain = time.Minute
	// refusedAgain is the longest pause before workers are asked again that do not know
	// the question: each time leaves an error in their log.
	refusedAgain = 10 * time.Minute
	// declarationHolds is how long a declaration holds while nobody answers: the
	// documents themselves keep workers busy.
	declarationHolds = 5 * time.Minute
)

// Workers is what is known of those who work on the routes' task queues: how many poll,
// which versions take new runs, and what they declare of themselves. They are asked again
// and again, because workers come and go.
//
//	not asked ──▶ declared ──(nobody answers for declarationHolds, or one refuses)──▶ not declared
//	    └────────────────────────────▶ not declared ──(all declare)──▶ declared
//
// A start on a queue that no worker polls succeeds, and its client waits in vain: that is
// what the count of pollers is for.
type Workers struct {
	path *Path

	mu      sync.Mutex
	up      bool                  // Temporal answered; guarded by mu
	pollers map[string]int        // by real task queue, guarded by mu
	serving map[string]Serving    // by real task queue, guarded by mu
	known   map[question]heard    // guarded by mu
	lacking map[string]lacks      // by route, guarded by mu
	unread  map[string]unreadable // by workflow type, guarded by mu
	// wanted: shadow runs are, and what is known of their queues was said since;
	// guarded by mu.
	wanted bool
}

// heard is what workers said, and when they last declared it.
type heard struct {
	Support
	declared time.Time
}

// newWorkers returns Workers of whom nothing is known: Temporal is down, nobody polls and
// nothing is declared.
func newWorkers(p *Path) *Workers {
	w := &Workers{path: p, pollers: map[string]int{}, serving: map[string]Serving{}, known: map[question]heard{},
		lacking: map[string]lacks{}, unread: map[string]unreadable{}}
	for _, route := range p.config.Routes {
		w.pollers[route.TaskQueue] = 0
	}
	return w
}

// Workers returns what the path knows of those who work for it. Nothing is, until they are
// watched.
func (p *Path) Workers() *Workers { return p.workers }

// Watch looks at the workers of the real task queues every interval until ctx ends, and
// sooner while they have not declared what they can. tell is told of what routes lack; it
// may be nil, and must be safe to call from here.
func (w *Workers) Watch(ctx context.Context, interval time.Duration, tell func(Lacking)) {
	if tell == nil {
		tell = func(Lacking) {}
	}
	var group sync.WaitGroup
	for _, queue := range w.TaskQueues() {
		q := question{queue: queue}
		group.Go(func() {
			for l := (&looks{interval: interval}); ctx.Err() == nil; l.rest(ctx) {
				if w.look(ctx, q, l) {
					w.compare(queue, tell)
				}
			}
		})
	}
	group.Wait()
}

// WatchShadows looks at the workers of the shadow task queues at the start, at once when
// shadow runs come to be wanted, and then as Watch does. While they are not wanted nobody
// is asked again, and what was said is for people, for a short time. wanted must be safe
// to call from here.
func (w *Workers) WatchShadows(ctx context.Context, interval time.Duration, wanted func() bool) {
	w.eachShadow(func(q question) { w.look(ctx, q, &looks{interval: interval}) })
	for stale := time.Now().Add(declarationHolds); ctx.Err() == nil; closing.Pause(ctx, wantedInterval) {
		switch {
		case wanted():
			w.forgetShadows(true)
			w.whileWanted(ctx, interval, wanted)
			w.forgetShadows(false)
		case time.Now().After(stale):
			w.forgetShadows(false)
		}
	}
}

// whileWanted looks at the workers of the shadow task queues until shadow runs are not
// wanted any more, or ctx ends.
func (w *Workers) whileWanted(ctx context.Context, interval time.Duration, wanted func() bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer stop()
		for ctx.Err() == nil && wanted() {
			closing.Pause(ctx, wantedInterval)
		}
	}()
	w.eachShadow(func(q question) {
		for l := (&looks{interval: interval}); ctx.Err() == nil; l.rest(ctx) {
			w.look(ctx, q, l)
		}
	})
}

// eachShadow calls a function for all shadow task queues at one time, so that one that
// waits holds up no other.
func (w *Workers) eachShadow(do func(question)) {
	var group sync.WaitGroup
	queues := map[string]bool{"": true} // a route without one
	for _, route := range w.path.config.Routes {
		if queue := route.ShadowTaskQueue; !queues[queue] {
			queues[queue] = true
			group.Go(func() { do(question{queue, true}) })
		}
	}
	group.Wait()
}

// forgetShadows forgets what was said of shadow runs: workers come and go, and only what
// is said while they are wanted counts.
func (w *Workers) forgetShadows(wanted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wanted = wanted
	maps.DeleteFunc(w.known, func(q question, _ heard) bool { return q.shadow })
}

// learn takes an answer over. No answer takes nothing back for a while.
func (w *Workers) learn(q question, support Support, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.known[q]
	switch {
	case support.OK:
		last.declared = now
	case support.Unheard && last.OK && now.Sub(last.declared) < declarationHolds:
		return
	}
	last.Support = support
	w.known[q] = last
}

// said returns what is known of the workers; asked is false if they have not been asked.
func (w *Workers) said(q question) (support Support, asked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, asked := w.known[q]
	if !asked {
		return unsupported("the workers of %s have not been asked yet what they support", q), false
	}
	return last.Support, true
}

// TaskQueues lists the routes' task queues, sorted, each once.
func (w *Workers) TaskQueues() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.pollers))
}

// Up reports whether Temporal answered when it was last asked.
func (w *Workers) Up() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up
}

// Pollers returns how many workers polled the task queue of late.
func (w *Workers) Pollers(queue string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pollers[queue]
}

// Serving returns which worker versions take the task queue's new runs.
func (w *Workers) Serving(queue string) Serving {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serving[queue]
}
