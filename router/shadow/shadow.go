// Package shadow mirrors documents that legacy served: each is run once more on
// Temporal, where it leaves nothing, and both answers are handed on to be
// compared.
//
// A mirrored document goes this way:
//
//	sampled ─▶ offered, once its client has its answer ─▶ queued ─▶ on record ─▶ run ─▶ handed on
//	              └───────────────┴──────────────┴────────────┴─▶ dropped, with a reason
//
// Documents are gathered for a while and run together, because what a run costs the
// gateway is waking up and talking: a batch is one note on record, one start and one
// wait. Runs that take long are waited for one by one.
//
// Invariants:
//   - No client waits: Offer never blocks, and is called after the answer.
//   - What is held is bounded by a number of documents and a number of bytes, from an
//     answer's first byte on; the gateway's own load sheds mirrors before it sheds
//     clients.
//   - A run is on record before it is started, so one that dies with its gateway is
//     missed.
//   - Every sampled document is handed on or dropped, exactly once, and counted.
//   - Nothing is started for a route whose worker does not declare that its shadow
//     runs leave the real stores alone.
package shadow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// Temporal runs documents for the shadow.
type Temporal interface {
	// Together starts the documents' shadow runs, all of one route, evenly over a while,
	// and waits a little for their ends. There is one element for each twin, the error of
	// which wraps rollout.ErrDuplicate if there was such a run before, and
	// rollout.ErrNotAccepted if there is none; after any other nobody knows.
	Together(ctx context.Context, route string, twins []rollout.Twin, over time.Duration) []rollout.Mirrored
	// Shadow starts one shadow run of an arm, "a" or "b", and has the patience to wait for
	// its end; it is RunRunning if it has not ended by then. It fails as Together does.
	Shadow(ctx context.Context, doc *rollout.Document, arm string) (rollout.Run, error)
	// Shadowed waits, at most for wait, for the end of a run that was started, and tells
	// how long it took.
	Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (run rollout.Run, took time.Duration, err error)
}

// Evidence takes what the mirror finds. Its methods may wait for a store.
type Evidence interface {
	Record
	// Compared takes the answers of a run that was begun.
	Compared(exchange *rollout.Exchange)
	// Dropped counts a sampled document that is not compared. id is that of a run
	// that was begun, or empty.
	Dropped(route, id string, reason rollout.DropReason)
}

// Record is where shadow runs are put down before they are started.
type Record interface {
	// Begin says that a run is to begin. It does not wait, and fails with
	// rollout.ErrDuplicate if the same run is on record.
	Begin(route, id string) error
	// Noted waits until what was begun is on record, and fails if it cannot be.
	Noted(ctx context.Context) error
}

// Config configures a Mirror. All fields are needed.
type Config struct {
	Temporal Temporal
	// ID returns the workflow ID of the document's first shadow run.
	ID func(doc *rollout.Document) string
	// Oversize reports whether Temporal cannot hold the document.
	Oversize func(doc *rollout.Document) bool
	// Ready reports whether the route's workers declare shadow support.
	Ready func(route string) bool
	// Asked reports whether they have been asked for it, since mirroring is wanted.
	Asked    func(route string) bool
	Evidence Evidence
	// Policy returns what is in force now.
	Policy func() *rollout.Policy
	// Busy reports whether the gateway has too much to do for its clients.
	Busy func() bool
	// Salt is the migration's.
	Salt string
	// Pairs is the share of the mirrored documents that run twice.
	Pairs rollout.Exposure
	// Queue bounds the documents that wait, Budget the bytes of those that wait or
	// run, Largest those of one document with its answer.
	Queue           int
	Budget, Largest int64
	// Gather is how long documents are gathered that run together.
	Gather time.Duration
	// Parallel is how many that take long are waited for at one time, Patience how long
	// each may take. A batch has at most four times as many as Parallel.
	Parallel int
	Patience time.Duration
}

// Mirror mirrors. It is safe for concurrent use.
type Mirror struct {
	config  Config
	sampler *rollout.Splitter
	pairs   *rollout.Splitter
	queue   chan *job
	many    chan struct{} // holds one: there are enough for a batch
	slow    chan struct{} // one token each document that is waited for by itself
	late    sync.WaitGroup
	// gathering holds a token while someone takes from queue.
	gathering chan struct{}
	held      atomic.Int64

	mu     sync.RWMutex
	closed bool // guarded by mu; set before queue is drained
}

// job is a document with its answer.
type job struct {
	doc     rollout.Document
	primary rollout.Answer
	took    time.Duration
	at      time.Time
	bytes   int64 // that are held for it

	id   string // of its shadow run, once it may run
	pair bool   // it runs twice
}

// New returns a mirror. Run does its work.
func New(config Config) *Mirror {
	return &Mirror{
		config:  config,
		sampler: rollout.NewSplitter(config.Salt + "/shadow"),
		pairs:   rollout.NewSplitter(config.Salt + "/pairs"),
		queue:   make(chan *job, config.Queue),
		many:    make(chan struct{}, 1),
		slow:    make(chan struct{}, config.Parallel),

		gathering: make(chan struct{}, 1),
	}
}

// Sampled reports whether a document that legacy serves is to be mirrored. The
// policy is the one that its request was decided under.
func (m *Mirror) Sampled(policy *rollout.Policy, docID string) bool {
	return !policy.Kill && policy.Shadow > rollout.None && policy.Shadow.Includes(m.sampler.Bucket(docID))
}

// Hold asks to hold more bytes of an answer that is on its way to its client, of which
// kept are held so far. It takes them from the budget until the document is offered. If
// that is used up, or the answer is too large, it says so, and gives back what was held.
func (m *Mirror) Hold(kept, more int) (full rollout.DropReason, ok bool) {
	full = rollout.DropBytes
	switch {
	case int64(kept)+int64(more) > m.config.Largest:
		full = rollout.DropTooLarge
	case m.take(int64(more)):
		return 0, true
	}
	m.held.Add(-int64(kept))
	return full, false
}

// HeldBytes returns the bytes of the documents that wait or run, and of the answers
// that are held for them.
func (m *Mirror) HeldBytes() int64 { return m.held.Load() }

// Waiting returns how many documents wait.
func (m *Mirror) Waiting() int { return len(m.queue) }

// Offer takes a sampled document whose client has its answer, the body of which is
// held. If the answer is not to be compared, cut says why. It never waits.
func (m *Mirror) Offer(doc *rollout.Document, primary rollout.Answer, took time.Duration, cut *rollout.DropReason) {
	j := &job{doc: *doc, primary: primary, took: took, at: time.Now(), bytes: int64(len(primary.Body))}
	reason, queued := m.admit(j, cut)
	if queued {
		reason, queued = m.enqueue(j)
	}
	if !queued {
		m.release(j, "", reason)
	}
}

// admit reports whether the job may wait, and then holds the document's body too.
func (m *Mirror) admit(j *job, cut *rollout.DropReason) (rollout.DropReason, bool) {
	body := int64(len(j.doc.Body))
	switch {
	case cut != nil:
		return *cut, false
	case j.bytes+body > m.config.Largest:
		return rollout.DropTooLarge, false
	case m.config.Busy():
		return rollout.DropBusy, false
	case !m.take(body):
		return rollout.DropBytes, false
	}
	j.bytes += body
	return 0, true
}

func (m *Mirror) take(n int64) bool {
	if m.held.Add(n) > m.config.Budget {
		m.held.Add(-n)
		return false
	}
	return true
}

func (m *Mirror) enqueue(j *job) (rollout.DropReason, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return rollout.DropRestart, false
	}
	select {
	case m.queue <- j:
		if len(m.queue) >= min(m.together()-1, cap(m.queue)/2) || m.held.Load() > m.config.Budget/2 {
			m.hurry()
		}
		return 0, true
	default:
		return rollout.DropQueue, false
	}
}

// hurry ends the gathering.
func (m *Mirror) hurry() {
	select {
	case m.many <- struct{}{}:
	default:
	}
}
