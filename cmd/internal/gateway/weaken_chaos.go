//go:build chaos

package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/rollout"
	"sluice/router/claims"
)

// withoutVariable names the protection that is off: claims or fence. The chaos
// harness uses it to show that it would see what they prevent.
const withoutVariable = "SLUICE_CHAOS_WITHOUT"

func (g *Gateway) weakened(store claims.Store) (claims.Store, error) {
	switch without, asked := g.options.Lookup(withoutVariable); {
	case !asked:
		return store, nil
	case without == "claims":
		return &forgetful{last: map[string]*rollout.Holding{}}, nil
	case without == "fence":
		return unfenced{store}, nil
	default:
		return nil, fmt.Errorf("%s is %q: it must be claims or fence", withoutVariable, without)
	}
}

// forgetful remembers of a document no more than its last request. What is left
// is a gate that splits by hash, with a fallback that is proved for each request
// by itself, and one workflow ID for all times.
type forgetful struct {
	mu   sync.Mutex
	last map[string]*rollout.Holding // guarded by mu
}

func (f *forgetful) Update(_ context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	// The clock stands still, so that every life is the first.
	at := rollout.Instant{Now: time.UnixMilli(1), Policy: rollout.Reading{Rollout: rollout.All}.Policy(1), Horizon: time.Hour}
	h := &rollout.Holding{DocID: docID}
	err := change(h, at)
	if !errors.Is(err, rollout.ErrClaimGone) {
		if err == nil && len(h.Claims) > 0 {
			f.last[docID] = h
		}
		return err
	}
	if last := f.last[docID]; last != nil {
		return change(last, at)
	}
	return err
}

func (f *forgetful) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	return &rollout.Holding{DocID: docID}, nil
}

// unfenced forgets before every change that starts may still be on their way.
type unfenced struct{ claims.Store }

func (u unfenced) Update(ctx context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	return u.Store.Update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) error {
		for i := range h.Claims {
			if c := &h.Claims[i]; c.Path == rollout.Temporal && c.Open() {
				c.Unsettled = 0
			}
		}
		return change(h, at)
	})
}
