package router_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// records is a store of claims in memory. The real ones have their own tests.
type records struct {
	policy func() *rollout.Policy

	mu       sync.Mutex
	holdings map[string][]byte // guarded by mu
	broken   error             // what every use fails with; guarded by mu
	counts   rollout.Counts    // guarded by mu
}

// counted returns how often something was counted, by arm and event, but for what only
// the sample ratio is taken of.
func (r *records) counted() map[rollout.Path]map[rollout.Event]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[rollout.Path]map[rollout.Event]uint64{rollout.Legacy: {}, rollout.Temporal: {}}
	for _, c := range r.counts {
		if c.Event != rollout.EventPlaced {
			all[c.Arm][c.Event] += c.Times
		}
	}
	return all
}

func (r *records) Update(_ context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	h, err := r.get(docID)
	if err != nil {
		return err
	}
	if err := change(h, rollout.Instant{Now: time.Now(), Policy: r.policy(), Horizon: time.Minute}); err != nil {
		return err
	}
	for _, c := range h.Counts {
		r.counts.Add(c)
	}
	h.Version++
	r.holdings[docID] = rollout.AppendHolding(nil, h)
	return nil
}

func (r *records) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.get(docID)
}

// get reads a holding. r.mu is held.
func (r *records) get(docID string) (*rollout.Holding, error) {
	if encoded, found := r.holdings[docID]; found {
		return rollout.ParseHolding(encoded)
	}
	return &rollout.Holding{DocID: docID}, nil
}

func (r *records) breakWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
}

// unobserved is claims' observer of tests that look elsewhere.
type unobserved struct{}

func (unobserved) ClaimTaken(string)                                     {}
func (unobserved) ClaimSettled(string, rollout.Path, rollout.ClaimState) {}
func (unobserved) ClaimMoved(string)                                     {}
func (unobserved) ClaimStuck(string)                                     {}
func (unobserved) LegacyTook(time.Duration)                              {}

func newBook(t testing.TB, store *records) *claims.Book {
	t.Helper()
	return claims.New(claims.Config{
		Store: store, Owner: "test", IDs: rollout.WorkflowIDs{Prefix: "ingest"}, LegacyTimeout: time.Minute, Lease: time.Minute,
		StoreTimeout: patience, Observer: unobserved{}, Log: zap.NewNop(),
		Limit:       func(string) time.Duration { return time.Hour },
		DeadLetters: map[string][]string{"documents": {"DeadLetter"}},
	})
}
