package claims

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"sluice/rollout"
)

// suspect is an open life that nobody is at work on, or that goes on by itself.
type suspect struct {
	docID  string
	intent rollout.Intent
	life   uint64
	unsure bool // what the record says of this process's own sends may be wrong

	due   time.Time
	pause time.Duration // before the next look
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 20 * time.Second
	// awaitedPause is the longest for a run that others wait for.
	awaitedPause = time.Second
)

// suspects is what the resolver has to look at, the most urgent first.
type suspects struct {
	wake chan struct{} // holds one wake-up

	mu    sync.Mutex
	queue dueFirst               // guarded by mu
	known map[suspectKey]*listed // guarded by mu
	// stalled counts those whose run does not get on; guarded by mu.
	stalled int
}

// listed is a life on the list.
type listed struct {
	suspect
	// place is where in the queue; -1 while it is being looked at.
	place int
	// hurried: there was a call to look again within a time, during the look.
	hurried bool
	within  time.Duration
	// stalled: its run did not get on when it was last looked at.
	stalled bool
}

type suspectKey struct {
	docID  string
	intent rollout.Intent
	life   uint64
}

func newSuspects() *suspects {
	return &suspects{wake: make(chan struct{}, 1), known: map[suspectKey]*listed{}}
}

func (s suspect) key() suspectKey { return suspectKey{s.docID, s.intent, s.life} }

// add puts a life on the list, unless it is there.
func (l *suspects) add(s suspect) { l.put(s, firstPause, false) }

// hurry puts a life on the list, and sees to it that it is looked at within a time.
func (l *suspects) hurry(s suspect, within time.Duration) { l.put(s, within, true) }

func (l *suspects) put(s suspect, within time.Duration, hurry bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := time.Now().Add(within)
	known := l.known[s.key()]
	switch {
	case known == nil:
		s.pause, s.due = firstPause, due
		known = &listed{suspect: s}
		l.known[s.key()] = known
		heap.Push(&l.queue, known)
	case !hurry:
		return
	case known.place < 0:
		if !known.hurried || within < known.within {
			known.hurried, known.within = true, within
		}
		return
	case known.due.After(due):
		known.due, known.pause = due, min(known.pause, max(within, firstPause))
		heap.Fix(&l.queue, known.place)
	}
	l.nudge()
}

// again puts a life back for another look, later than the last time but after
// longest at the latest.
func (l *suspects) again(s suspect, longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known[s.key()]
	known.pause = min(2*known.pause, longest)
	wait := known.pause
	if known.hurried {
		known.hurried, wait = false, min(wait, known.within)
		known.pause = max(wait, firstPause)
	}
	known.due = time.Now().Add(wait)
	heap.Push(&l.queue, known)
	l.nudge()
}

// done takes a life off the list.
func (l *suspects) done(s suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark(l.known[s.key()], false)
	delete(l.known, s.key())
}

func (l *suspects) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// len returns how many lives are on the list.
func (l *suspects) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.known)
}

// has reports whether the life is on the list.
func (l *suspects) has(key suspectKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[key] != nil
}

// next waits for a life to be due; false if ctx ends first.
func (l *suspects) next(ctx context.Context) (suspect, bool) {
	for {
		l.mu.Lock()
		wait := time.Hour
		if len(l.queue) > 0 {
			if wait = time.Until(l.queue[0].due); wait <= 0 {
				s := heap.Pop(&l.queue).(*listed).suspect
				l.mu.Unlock()
				return s, true
			}
		}
		l.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return suspect{}, false
		case <-l.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// dueFirst is a heap.
type dueFirst []*listed

func (q dueFirst) Len() int           { return len(q) }
func (q dueFirst) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q dueFirst) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *dueFirst) Push(x any) {
	l := x.(*listed)
	l.place = len(*q)
	*q = append(*q, l)
}

func (q *dueFirst) Pop() any {
	last := len(*q) - 1
	l := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	l.place = -1
	return l
}
