// Package claims keeps the promise that a document in flight has one path. Before
// anything leaves the gateway the document's path is on record; what happens to
// it after that is decided by the pure rollout.Holding under a store's atomic
// update, and carried out here.
//
// Invariants:
//   - A request is sent only on a Grant, and a Grant is durable; but for what Away
//     lets through.
//   - A start on Temporal is registered before its first byte may leave, and
//     comes off the record only by proof. A document moves to legacy only when
//     none is left.
//   - What a request leaves unsettled, for whatever reason, the resolver settles:
//     it asks Temporal, or fences the life off by a tombstone. It never starts
//     and never sends anything else, for bodies are not kept.
//   - A start that Temporal holds back is released only after the record says that
//     nothing is before it. Releasing again does no harm, so it comes before the
//     record of it.
//   - No step leans on a lease or a timer for safety: every change is a
//     compare-and-swap in the store.
//
// One window is left, on legacy: a gateway that is frozen after its last look at
// the clock, for longer than half the horizon, and then writes, may send a
// document whose claim others have settled as lost.
package claims

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Store keeps holdings.
type Store interface {
	// Update stores what change makes of the document's holding, durably and at
	// once, or nothing. An error of change is returned as it is; any other leaves
	// open whether the change was stored.
	Update(ctx context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error
	// Get returns the document's holding, without claims if there is none.
	Get(ctx context.Context, docID string) (*rollout.Holding, error)
}

// Roll says what is open and which gateways live.
type Roll interface {
	// Open visits every holding with an open claim.
	Open(ctx context.Context, visit func(*rollout.Holding) error) error
	// Renew keeps a gateway's lease for ttl.
	Renew(ctx context.Context, owner string, ttl time.Duration) error
	// Dead lists the gateways with open claims and no lease, but for self.
	Dead(ctx context.Context, self string) ([]string, error)
}

// Temporal is what the resolver asks of the Temporal path.
type Temporal interface {
	// Lookup returns where a workflow stands; false if there is none. It fails
	// with rollout.ErrFenced for a tombstone.
	Lookup(ctx context.Context, route, workflowID string) (rollout.Run, bool, error)
	// Fence places a tombstone, or finds that Temporal has the life's own run.
	Fence(ctx context.Context, workflowID string) (held bool, err error)
	// Retention returns how long Temporal remembers a closed run.
	Retention(ctx context.Context) (time.Duration, error)
}

// Gate lets begin what Temporal holds back.
type Gate interface {
	// Release lets a delayed run begin; one that has begun or ended stays as it is.
	// It fails with rollout.ErrFenced if there is none any more. After any other
	// error the run may or may not have been released.
	Release(ctx context.Context, workflowID string) error
}

// Config configures a Book. All fields but Outdated and Away are needed.
type Config struct {
	Store    Store
	Roll     Roll
	Temporal Temporal
	Gate     Gate
	// Limit returns the longest that a run of a route takes.
	Limit func(route string) time.Duration
	// Owner names this gateway's process; no other has ever had the name.
	Owner string
	// IDs makes the workflow IDs.
	IDs rollout.WorkflowIDs
	// LegacyTimeout is how long a request may still be at work in legacy when nobody
	// waits for it any more.
	LegacyTimeout time.Duration
	// DeadLetters are the failure types, by route, that leave something behind.
	DeadLetters map[string][]string
	// Lease is how long this gateway counts as alive after its last sign.
	Lease time.Duration
	// StoreTimeout bounds one use of the store; 0 for one that never waits.
	StoreTimeout time.Duration
	Observer     Observer
	Log          *zap.Logger
	// Outdated reports whether the store may hold records that are older than
	// what was once stored, as after a loss of power. Then what is not on record
	// proves nothing, and no document moves. nil means never.
	Outdated func() bool
	// Thresholds returns the latencies above which a document of Temporal is slow; nil
	// if none ever is.
	Thresholds func() rollout.Thresholds
	// EvidenceHorizon is how old a document without an outcome is when it counts as
	// bad for the guardrails; 0 for never.
	EvidenceHorizon time.Duration
	// Away says what is sent while the store is away; nil for nothing.
	Away *Away
}

// Observer sees what becomes of claims. Its methods neither block nor fail.
type Observer interface {
	// ClaimTaken counts a new life of an intent.
	ClaimTaken(route string)
	// ClaimSettled counts the end of one: on which path and how.
	ClaimSettled(route string, path rollout.Path, state rollout.ClaimState)
	// ClaimMoved counts a fallback.
	ClaimMoved(route string)
	// ClaimStuck counts a claim that only an operator can settle, once.
	ClaimStuck(route string)
	// LegacyTook is told how long legacy took for a document that counts.
	LegacyTook(took time.Duration)
}

// ErrStore says that the record of claims could not be used. Whether the change
// was stored is not known.
var ErrStore = errors.New("the record of claims is not available")

// Book is the record of claims as one gateway uses it. It is safe for concurrent
// use.
type Book struct {
	config   Config
	suspects *suspects
	sends    sends
	gone     map[string]time.Time // since when gateways are known to be dead; owned by keepLease
}

// New returns a book. Run does its background work.
func New(config Config) *Book {
	if config.Thresholds == nil {
		config.Thresholds = func() rollout.Thresholds { return rollout.Thresholds{} }
	}
	config.EvidenceHorizon = cmp.Or(config.EvidenceHorizon, math.MaxInt64)
	return &Book{config: config, suspects: newSuspects(), sends: sends{count: map[sendKey]uint32{}}}
}

// update makes one change of a document's holding. It outlives the request: a
// client's leaving must not lose what was done.
func (b *Book) update(ctx context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	ctx, cancel := b.bounded(context.WithoutCancel(ctx))
	defer cancel()
	var refused error
	var after *rollout.Holding
	err := b.config.Store.Update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) error {
		refused, after = change(h, at), h
		return refused
	})
	if err == nil {
		b.attend(after)
		return nil
	}
	if refused != nil && errors.Is(err, refused) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStore, err)
}

// bounded limits one use of the store. A timer costs more than the embedded store.
func (b *Book) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.config.StoreTimeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, b.config.StoreTimeout)
}

// Get returns a document's holding.
func (b *Book) Get(ctx context.Context, docID string) (*rollout.Holding, error) {
	ctx, cancel := b.bounded(ctx)
	defer cancel()
	h, err := b.config.Store.Get(ctx, docID)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	return h, nil
}

// Unresolved returns how many lives the resolver has on its list.
func (b *Book) Unresolved() int { return b.suspects.len() }

// Suspects reports whether this gateway's resolver has the life on its list: none
// of its requests is at work on it, or it goes on by itself.
func (b *Book) Suspects(docID string, intent rollout.Intent, life uint64) bool {
	return b.suspects.has(suspectKey{docID, intent, life})
}

// WorkflowID returns the ID of a life's workflow.
func (b *Book) WorkflowID(docID string, intent rollout.Intent, life uint64) string {
	return b.config.IDs.Of(docID, intent, life)
}
