package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout"
)

// model is what a store should hold: a map, and the hub's operations.
type model struct {
	rand     *rand.Rand
	prefix   string
	holdings map[string]*rollout.Holding
}

func newModel(seed uint64, prefix string) *model {
	return &model{rand: rand.New(rand.NewPCG(seed, 0)), prefix: prefix, holdings: map[string]*rollout.Holding{}}
}

// change is one operation, chosen beforehand, so that it does the same each time.
type change func(h *rollout.Holding, at rollout.Instant) error

// operation chooses one at random, for one of a few intents.
func (m *model) operation() change {
	r := m.rand
	owner, name := fmt.Sprintf("g%d", r.IntN(3)), fmt.Sprint(r.IntN(4))
	wish := ask(owner, name)
	wish.Temporal = r.IntN(4) > 0
	wish.Counts, wish.Own, wish.Bucket = r.IntN(4) > 0, rollout.All, rollout.Bucket(r.IntN(1000)*1000)
	ending := rollout.Ending{Fate: rollout.Fate(r.IntN(5)), Took: time.Second, Thresholds: rollout.Thresholds{1, 2, time.Hour}}
	verdict := rollout.Verdict(r.IntN(3))
	state := []rollout.ClaimState{rollout.ClaimDone, rollout.ClaimFailed, rollout.ClaimDead}[r.IntN(3)]
	answered := r.IntN(3) > 0
	kind := r.IntN(27)
	return func(h *rollout.Holding, at rollout.Instant) error {
		life := uint64(0)
		if c := h.Find(wish.Intent); c != nil {
			life = c.Life
		}
		switch {
		case kind < 8:
			_, err := h.Take(wish, at)
			return err
		case kind < 11:
			return h.Attempted(wish.Intent, life, verdict)
		case kind < 14:
			return h.Sent(wish.Intent, owner, answered, at)
		case kind < 16:
			return h.Move(wish.Intent, life, owner, at)
		case kind < 18:
			return h.Ended(wish.Intent, life, state, at)
		case kind == 18:
			return h.Fenced(wish.Intent, life)
		case kind == 19:
			return h.Void(wish.Intent, life, at)
		case kind == 20:
			h.Adopt(owner, "g0", 0, at)
		case kind == 21:
			return h.Force(wish.Intent, life, state, at)
		case kind == 22:
			h.Claims = nil
		case kind == 23:
			h.FellBack(ending.Thresholds, at)
		case kind == 24:
			return h.Linger(wish.Intent, life, ending.Thresholds, 0, at)
		case kind > 24:
			h.Judge(wish.Intent, ending, at)
		}
		return nil
	}
}

// want returns a copy of what is held of the document.
func (m *model) want(docID string) *rollout.Holding {
	held := m.holdings[docID]
	if held == nil {
		return &rollout.Holding{DocID: docID}
	}
	parsed, err := rollout.ParseHolding(rollout.AppendHolding(nil, held))
	if err != nil {
		panic(err) // it was made by AppendHolding
	}
	return parsed
}

// apply does to the map what Update has to do to the store.
func (m *model) apply(docID string, operation change, at rollout.Instant) error {
	before, after := m.want(docID), m.want(docID)
	if err := operation(after, at); err != nil {
		return err
	}
	switch {
	case len(after.Claims) == 0:
		delete(m.holdings, docID)
	case string(rollout.AppendHolding(nil, before)) != string(rollout.AppendHolding(nil, after)):
		after.Version++
		m.holdings[docID] = after
	}
	return nil
}

// step makes one random change to the store and to the map, and compares what
// came of it.
func (m *model) step(t *testing.T, s Store) error {
	docID := fmt.Sprintf("%s%d", m.prefix, m.rand.IntN(12))
	operation := m.operation()
	var at rollout.Instant
	got := s.Update(t.Context(), docID, func(h *rollout.Holding, now rollout.Instant) error {
		at = now
		return operation(h, now)
	})
	if want := m.apply(docID, operation, at); got != want {
		return fmt.Errorf("update of %s: %w, want %w", docID, got, want)
	}
	held, err := s.Get(t.Context(), docID)
	if err != nil {
		return err
	}
	return m.compare(held)
}

func (m *model) compare(held *rollout.Holding) error {
	if want := m.want(held.DocID); string(rollout.AppendHolding(nil, held)) != string(rollout.AppendHolding(nil, want)) {
		return fmt.Errorf("got  %+v\nwant %+v", *held, *want)
	}
	return nil
}

// all compares every document, and those that Open visits.
func (m *model) all(t *testing.T, s Store) {
	t.Helper()
	for i := range 12 {
		h, err := s.Get(t.Context(), fmt.Sprintf("%s%d", m.prefix, i))
		if err == nil {
			err = m.compare(h)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	open := 0
	for _, h := range m.holdings {
		if h.Expires(time.Hour) == 0 {
			open++
		}
	}
	err := s.Open(t.Context(), func(h *rollout.Holding) error {
		if len(h.DocID) > len(m.prefix) && h.DocID[:len(m.prefix)] == m.prefix {
			open--
			return m.compare(h)
		}
		return nil
	})
	if err != nil || open != 0 {
		t.Fatalf("Open left %d open holdings out: %v", open, err)
	}
}

// likeAMap makes random changes through changing handles and opens the store
// again from time to time.
func likeAMap(t *testing.T, w *world) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := newModel(seed, "")
	for i := range 1000 {
		if err := m.step(t, w.handle(m.rand.IntN(handles))); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if i%200 == 199 {
			m.all(t, w.store())
			w.close()
			m.all(t, w.store())
		}
	}
}

// likeAMapAtOnce does the same from many goroutines, each with its documents.
func likeAMapAtOnce(t *testing.T, w *world) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	stores := w.each()
	models := make([]*model, writers)
	for i := range models {
		models[i] = newModel(seed+uint64(i), fmt.Sprintf("%02d/", i))
	}
	together(t, writers, func(i int) error {
		for n := range 60 {
			if err := models[i].step(t, stores[n%handles]); err != nil {
				return fmt.Errorf("step %d: %w", n, err)
			}
		}
		return nil
	})
	w.close()
	for _, m := range models {
		m.all(t, w.store())
	}
}
