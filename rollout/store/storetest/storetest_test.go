package storetest_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/storetest"
)

// memory is the smallest store that there is: a map behind a lock. The suite
// must let it pass, so that what fails elsewhere is the store's fault.
type memory struct {
	settings storetest.Settings
	*kept
}

// kept is what stays when handles are closed.
type kept struct {
	mu       sync.Mutex
	holdings map[string][]byte    // guarded by mu
	leases   map[string]time.Time // guarded by mu
	books    rollout.Books        // guarded by mu
	memoryDesk
}

func (m memory) load(docID string, now time.Time) *rollout.Holding {
	if b := m.holdings[docID]; b != nil {
		h, err := rollout.ParseHolding(b)
		if err != nil {
			panic(err)
		}
		if expires := h.Expires(m.settings.Horizon); expires == 0 || expires > now.UnixMilli() {
			return h
		}
	}
	return &rollout.Holding{DocID: docID}
}

func (m memory) Update(ctx context.Context, docID string, change func(*rollout.Holding, rollout.Instant) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := rollout.Instant{Now: time.Now(), Policy: m.policy(), Horizon: m.settings.Horizon}
	h := m.load(docID, at.Now)
	before, was := rollout.AppendHolding(nil, h), slices.Clone(h.Claims)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := change(h, at); err != nil {
		return err
	}
	counts := h.Counts
	if !bytes.Equal(before, rollout.AppendHolding(nil, h)) {
		h.Version++
		m.holdings[docID] = rollout.AppendHolding(nil, h)
		for _, p := range rollout.Postings(nil, was, h.Claims) {
			m.books.Post(p)
		}
		for _, c := range counts {
			m.counts.Add(c)
		}
	}
	if len(h.Claims) == 0 {
		delete(m.holdings, docID)
	}
	return nil
}

func (m memory) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.load(docID, time.Now()), nil
}

func (m memory) Open(ctx context.Context, visit func(*rollout.Holding) error) error {
	m.mu.Lock()
	ids := slices.Collect(maps.Keys(m.holdings))
	m.mu.Unlock()
	for _, id := range ids {
		h, _ := m.Get(ctx, id)
		if _, held := h.Holder(); !held {
			continue
		}
		if err := visit(h); err != nil {
			return err
		}
	}
	return nil
}

func (m memory) Books(context.Context) (rollout.Books, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	books := slices.Clone(m.books)
	for _, record := range m.holdings {
		if err := books.CountOpen(record); err != nil {
			return nil, err
		}
	}
	return books, nil
}

func (m memory) Renew(_ context.Context, owner string, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leases[owner] = time.Now().Add(ttl)
	return nil
}

func (m memory) Dead(ctx context.Context, self string) ([]string, error) {
	owners := map[string]bool{}
	err := m.Open(ctx, func(h *rollout.Holding) error {
		for _, c := range h.Claims {
			if c.Open() {
				owners[c.Owner] = true
				for _, s := range c.Sends {
					owners[s.Owner] = true
				}
			}
		}
		return nil
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(owners, func(owner string, _ bool) bool { return owner == self || time.Now().Before(m.leases[owner]) })
	return slices.Collect(maps.Keys(owners)), err
}

func (m memory) Close() error { return nil }

func TestTheSuiteLetsAMapPass(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Subject {
		k := &kept{holdings: map[string][]byte{}, leases: map[string]time.Time{}, memoryDesk: memoryDesk{plan: rollout.All, pages: map[string][]rollout.Page{}}}
		return storetest.Subject{
			Open:   func(_ *testing.T, s storetest.Settings) storetest.Store { return memory{s, k} },
			Shared: true, Leases: true,
		}
	})
}
