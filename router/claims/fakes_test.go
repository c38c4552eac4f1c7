package claims_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/router/claims"
)

// records is a store of claims in memory that several gateways can share.
type records struct {
	mu       sync.Mutex
	holdings map[string]*rollout.Holding // guarded by mu
	leases   map[string]time.Time        // guarded by mu
	failing  error                       // guarded by mu
	// committed: what fails was stored all the same; guarded by mu.
	committed bool
	policy    rollout.Exposure // what is in force
}

func newRecords() *records {
	return &records{policy: rollout.All, holdings: map[string]*rollout.Holding{}, leases: map[string]time.Time{}}
}

const horizon = time.Hour

func (r *records) Update(_ context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing != nil && !r.committed {
		return r.failing
	}
	h := &rollout.Holding{DocID: docID}
	if stored := r.holdings[docID]; stored != nil {
		h = copied(stored)
	}
	at := rollout.Instant{Now: time.Now(), Policy: rollout.Reading{Rollout: r.policy}.Policy(1), Horizon: horizon}
	if err := change(h, at); err != nil {
		return err
	}
	h.Version++
	r.holdings[docID] = h
	return r.failing
}

func copied(h *rollout.Holding) *rollout.Holding {
	c, err := rollout.ParseHolding(rollout.AppendHolding(nil, h))
	if err != nil {
		panic(err)
	}
	return c
}

func (r *records) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stored := r.holdings[docID]; stored != nil {
		return copied(stored), nil
	}
	return &rollout.Holding{DocID: docID}, nil
}

func (r *records) Open(_ context.Context, visit func(*rollout.Holding) error) error {
	r.mu.Lock()
	var open []*rollout.Holding
	for _, h := range r.holdings {
		if _, held := h.Holder(); held {
			open = append(open, copied(h))
		}
	}
	r.mu.Unlock()
	for _, h := range open {
		if err := visit(h); err != nil {
			return err
		}
	}
	return nil
}

func (r *records) Renew(_ context.Context, owner string, ttl time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leases[owner] = time.Now().Add(ttl)
	return nil
}

func (r *records) Dead(_ context.Context, self string) (dead []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	note := func(owner string) {
		if owner != self && time.Now().After(r.leases[owner]) && !slices.Contains(dead, owner) {
			dead = append(dead, owner)
		}
	}
	for _, h := range r.holdings {
		for _, c := range h.Claims {
			if !c.Open() {
				continue
			}
			note(c.Owner)
			for _, s := range c.Sends {
				note(s.Owner)
			}
		}
	}
	return dead, nil
}

func (r *records) fail(err error, committed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failing, r.committed = err, committed
}

// temporal knows runs and tombstones by workflow ID.
type temporal struct {
	mu     sync.Mutex
	runs   map[string]rollout.Run // guarded by mu
	fenced map[string]bool        // guarded by mu
	away   error                  // guarded by mu
	begun  []string               // by Release, in order; guarded by mu
	looks  int                    // Lookups; guarded by mu
	// meanwhile happens after a tombstone was accepted; guarded by mu.
	meanwhile func()
}

func newTemporal() *temporal {
	return &temporal{runs: map[string]rollout.Run{}, fenced: map[string]bool{}}
}

func (f *temporal) Lookup(_ context.Context, _, id string) (rollout.Run, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks++
	if f.fenced[id] {
		return rollout.Run{}, false, rollout.ErrFenced
	}
	run, found := f.runs[id]
	return run, found, f.away
}

func (f *temporal) Fence(_ context.Context, id string) (held bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away != nil {
		return false, f.away
	}
	if _, held = f.runs[id]; !held {
		f.fenced[id] = true
		if f.meanwhile != nil {
			f.meanwhile()
		}
	}
	return held, nil
}

func (f *temporal) Release(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil {
		f.begun = append(f.begun, id)
	}
	return f.away
}

func (f *temporal) released() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.begun)
}

func (f *temporal) Retention(context.Context) (time.Duration, error) { return 24 * time.Hour, nil }

// set makes Temporal have a run, or none of it.
func (f *temporal) set(id string, state rollout.RunState, failure string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs[id] = rollout.Run{WorkflowID: id, State: state, Failure: rollout.Failure{Type: failure}}
}

// noteStalled makes a run one that does not get on; or that does, if why is empty.
func (f *temporal) noteStalled(id, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	run := f.runs[id]
	run.Stalled = why
	f.runs[id] = run
}

func (f *temporal) onFence(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meanwhile = do
}

func (f *temporal) goAway(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = err
}

// counts is an observer that counts.
type counts struct {
	mu      sync.Mutex
	taken   int                        // guarded by mu
	stuck   int                        // guarded by mu
	settled map[rollout.ClaimState]int // guarded by mu
}

func (c *counts) ClaimTaken(string)      { c.mu.Lock(); defer c.mu.Unlock(); c.taken++ }
func (c *counts) ClaimMoved(string)      {}
func (c *counts) ClaimStuck(string)      { c.mu.Lock(); defer c.mu.Unlock(); c.stuck++ }
func (*counts) LegacyTook(time.Duration) {}
func (c *counts) ClaimSettled(_ string, _ rollout.Path, state rollout.ClaimState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled[state]++
}

// gateway is a book and what it sees.
type gateway struct {
	*claims.Book
	records  *records
	temporal *temporal
	counts   *counts
	logs     *observer.ObservedLogs
}

func newGateway(name string, r *records, f *temporal) *gateway {
	core, logs := observer.New(zap.WarnLevel)
	g := &gateway{records: r, temporal: f, counts: &counts{settled: map[rollout.ClaimState]int{}}, logs: logs}
	g.Book = claims.New(claims.Config{
		Store: r, Roll: r, Temporal: f, Gate: f, Limit: anHour, Owner: name, IDs: rollout.WorkflowIDs{Prefix: "ingest"}, LegacyTimeout: 10 * time.Second,
		DeadLetters: map[string][]string{"documents": {"DeadLetter"}}, Lease: 3 * time.Second,
		StoreTimeout: time.Second, Observer: g.counts, Log: zap.New(core),
	})
	return g
}

func anHour(string) time.Duration { return time.Hour }

func ask(intent rollout.Intent, temporal bool) rollout.Ask {
	return rollout.Ask{Intent: intent, Route: "documents", Temporal: temporal}
}

// take claims document "a" for the intent.
func (g *gateway) take(t *testing.T, intent rollout.Intent, temporal bool) *claims.Ticket {
	t.Helper()
	ticket, err := g.Take(t.Context(), "a", ask(intent, temporal))
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func (g *gateway) claim(t *testing.T, intent rollout.Intent) rollout.Claim {
	t.Helper()
	h, err := g.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if c := h.Find(intent); c != nil {
		return *c
	}
	t.Fatalf("there is no claim of %s", intent)
	return rollout.Claim{}
}
