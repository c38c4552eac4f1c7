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
)

// suspects is what the resolver has to look at, the most urgent first.
type suspects struct {
	wake chan struct{} // holds one wake-up

	mu    sync.Mutex
	queue dueFirst            // guarded by mu
	known map[suspectKey]bool // in queue or being looked at; guarded by mu
}

type suspectKey struct {
	docID  string
	intent rollout.Intent
	life   uint64
}

func newSuspects() *suspects {
	return &suspects{wake: make(chan struct{}, 1), known: map[suspectKey]bool{}}
}

func (s suspect) key() suspectKey { return suspectKey{s.docID, s.intent, s.life} }

// add puts a life on the list, unless it is there.
func (l *suspects) add(s suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known[s.key()] {
		return
	}
	l.known[s.key()] = true
	s.pause = firstPause
	s.due = time.Now().Add(s.pause)
	heap.Push(&l.queue, s)
	l.nudge()
}

// again puts a life back for another look, later than the last time.
func (l *suspects) again(s suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.pause = min(2*s.pause, lastPause)
	s.due = time.Now().Add(s.pause)
	heap.Push(&l.queue, s)
	l.nudge()
}

// done takes a life off the list.
func (l *suspects) done(s suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
	return l.known[key]
}

// next waits for a life to be due; false if ctx ends first.
func (l *suspects) next(ctx context.Context) (suspect, bool) {
	for {
		l.mu.Lock()
		wait := time.Hour
		if len(l.queue) > 0 {
			if wait = time.Until(l.queue[0].due); wait <= 0 {
				s := heap.Pop(&l.queue).(suspect)
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
type dueFirst []suspect

func (q dueFirst) Len() int           { return len(q) }
func (q dueFirst) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q dueFirst) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *dueFirst) Push(x any)        { *q = append(*q, x.(suspect)) }
func (q *dueFirst) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
