package claims_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// oneHolding is a store of one document.
type oneHolding struct {
	rollout.Holding
	broken error
}

func (s *oneHolding) Update(_ context.Context, _ string, change func(*rollout.Holding, rollout.Instant) error) error {
	if s.broken != nil {
		return s.broken
	}
	return change(&s.Holding, rollout.Instant{Now: time.Now(), Policy: &rollout.Policy{}, Horizon: time.Minute})
}

func (s *oneHolding) Get(context.Context, string) (*rollout.Holding, error) {
	return &s.Holding, s.broken
}

// told is an observer that notes what was settled.
type told struct{ settled []rollout.ClaimState }

func (*told) ClaimTaken(string)        {}
func (*told) ClaimMoved(string)        {}
func (*told) ClaimStuck(string)        {}
func (*told) LegacyTook(time.Duration) {}
func (o *told) ClaimSettled(route string, path rollout.Path, state rollout.ClaimState) {
	if route == "documents" && path == rollout.Temporal {
		o.settled = append(o.settled, state)
	}
}

func TestForceSettlesOnceAndTellsTheObserver(t *testing.T) {
	store := &oneHolding{Holding: rollout.Holding{DocID: "doc", Claims: []rollout.Claim{
		{Intent: "k1", Route: "documents", Life: 7, Path: rollout.Temporal, Attempts: 1, Unsettled: 1},
	}}}
	observer := &told{}
	book := claims.New(claims.Config{Store: store, Limit: anHour, Owner: "test", StoreTimeout: time.Minute, Observer: observer, Log: zap.NewNop()})
	force := func(intent rollout.Intent, life uint64) error {
		return book.Force(context.Background(), "doc", intent, life, rollout.ClaimLost)
	}
	for _, wrong := range []error{force("k2", 7), force("k1", 6)} {
		if !errors.Is(wrong, rollout.ErrClaimGone) {
			t.Errorf("another life: %v", wrong)
		}
	}
	store.broken = errors.New("away")
	if err := force("k1", 7); !errors.Is(err, claims.ErrStore) || errors.Is(err, rollout.ErrClaimGone) {
		t.Errorf("with the store away: %v", err)
	}
	store.broken = nil
	if err := force("k1", 7); err != nil || store.Find("k1").State != rollout.ClaimLost {
		t.Errorf("%v: %+v", err, store.Find("k1"))
	}
	if err := force("k1", 7); !errors.Is(err, rollout.ErrClaimGone) {
		t.Errorf("the second time: %v", err)
	}
	if len(observer.settled) != 1 || observer.settled[0] != rollout.ClaimLost {
		t.Errorf("the observer was told %v", observer.settled)
	}
}
