// Package ledger holds what really happened to every wish (one intent: one
// version of one document), as the three parties that are not Sluice saw it: the
// client its answers, the legacy service and the workflows their side effects.
// Check compares them.
//
// What gateways say of themselves is no evidence here.
package ledger

import (
	"sync"
	"time"
)

// Ledger is safe for concurrent use.
type Ledger struct {
	begun time.Time

	mu     sync.Mutex
	wishes []wish              // by number; guarded by mu
	docs   map[string]*traffic // by doc_id; guarded by mu
	shared map[string]int      // overlaps by kind; guarded by mu
	clash  map[int]string      // first overlap on Temporal by wish; guarded by mu
	edited map[string]int      // the wish that an edited document must hold; guarded by mu
	states map[runKey]*Run     // guarded by mu
}

type runKey struct {
	wish int
	run  string
}

// wish is all that is known of one.
type wish struct {
	doc string
	// unkeyed: after another wish for its document a repeat of it is a new wish.
	unkeyed  bool
	answers  []Answer
	arrivals []Arrival
	runs     []*Run
	givenUp  bool
}

// Answer is what a client got for one attempt.
type Answer struct {
	Attempt  int
	Gateway  int
	Sent, At time.Duration // since the ledger began
	Status   int           // 0: none
	Path     string        // Rollout-Path
	Life     uint64        // of Temporal's answer
	Replayed bool
	Problem  string // what went wrong, or the answer's type
	Lie      string // how the answer contradicts itself
}

// Arrival is a request that reached legacy.
type Arrival struct {
	Attempt int
	At, End time.Duration
	// Effect: the document was ingested.
	Effect bool
	// Broken: the connection broke before the answer was written.
	Broken bool
	Fate   string
}

// Run is one workflow that ingested the wish's document.
type Run struct {
	Life    uint64
	ID      string
	At, End time.Duration
	Times   int // the activity ran, which is at least once by contract
	Fate    Fate
	Undone  bool
	Intent  string // what the gateway took the wish for
}

// Fate is how a run is going to end.
type Fate uint8

// The closed set of fates.
const (
	// Done: it completes.
	Done Fate = iota
	// Undo: it fails, and what it did is undone.
	Undo
	// Dead: it fails, and what it did stays.
	Dead
)

// traffic is what a document has under way, to find overlaps.
type traffic struct {
	legacy, temporal int
}

// New returns an empty ledger.
func New(wishes int) *Ledger {
	return &Ledger{
		begun: time.Now(), wishes: make([]wish, wishes), docs: map[string]*traffic{},
		shared: map[string]int{}, clash: map[int]string{}, edited: map[string]int{}, states: map[runKey]*Run{},
	}
}

func (l *Ledger) now() time.Duration { return time.Since(l.begun) }

// Since converts a moment to the ledger's time.
func (l *Ledger) Since(t time.Time) time.Duration { return t.Sub(l.begun) }

// Wished notes that a client began to wish.
func (l *Ledger) Wished(n int, doc string, unkeyed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wishes[n].doc, l.wishes[n].unkeyed = doc, unkeyed
}

// Edited notes which wish an edited document must hold when its client has an answer.
func (l *Ledger) Edited(doc string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.edited[doc] = n
}

// Answered notes what a client got.
func (l *Ledger) Answered(n int, a Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.At = l.now()
	l.wishes[n].answers = append(l.wishes[n].answers, a)
}

// GaveUp notes that a client has lost its patience for now.
func (l *Ledger) GaveUp(n int, yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wishes[n].givenUp = yes
}

// Arrived notes a request at legacy. ended is to be called once, with what
// became of it.
func (l *Ledger) Arrived(n, attempt int) (ended func(effect, broken bool, fate string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.wishes[n]
	w.arrivals = append(w.arrivals, Arrival{Attempt: attempt, At: l.now()})
	i := len(w.arrivals) - 1
	doc := l.traffic(w.doc)
	if doc.legacy++; doc.temporal > 0 {
		l.shared["legacy began while Temporal was at work"]++
	}
	return func(effect, broken bool, fate string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		doc.legacy--
		a := &l.wishes[n].arrivals[i]
		a.End, a.Effect, a.Broken, a.Fate = l.now(), effect, broken, fate
	}
}

func (l *Ledger) traffic(doc string) *traffic {
	if l.docs[doc] == nil {
		l.docs[doc] = &traffic{}
	}
	return l.docs[doc]
}

// Shared counts the documents that had both paths at work at one time, which is
// allowed only where legacy's answer had been lost.
func (l *Ledger) Shared() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]int{}
	for what, n := range l.shared {
		all[what] = n
	}
	return all
}
