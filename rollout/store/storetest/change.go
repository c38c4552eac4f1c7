package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
)

func nothingAtFirst(t *testing.T, w *world) {
	w.absent("doc")
	w.update("doc", func(h *rollout.Holding, _ rollout.Instant) error {
		if h.DocID != "doc" || h.Version != 0 || len(h.Claims) != 0 {
			t.Errorf("change got %+v, want an empty holding", *h)
		}
		return nil
	})
	w.absent("doc")
}

// An hour is more than any two clocks here differ by.
func toldTheInstant(t *testing.T, w *world) {
	w.update("doc", func(_ *rollout.Holding, at rollout.Instant) error {
		if off := time.Since(at.Now).Abs(); off > time.Hour {
			t.Errorf("Now is %v off", off)
		}
		if at.Policy == nil || *at.Policy != *w.settings.Policy {
			t.Errorf("Policy is %+v, want %+v", at.Policy, w.settings.Policy)
		}
		if at.Horizon != w.settings.Horizon {
			t.Errorf("Horizon is %v, want %v", at.Horizon, w.settings.Horizon)
		}
		return nil
	})
}

func versionsCount(t *testing.T, w *world) {
	for want := uint64(1); want <= 20; want++ {
		w.take("doc", ask("g1", "a")) // registers one more attempt
		h := w.get("doc")
		if h.Version != want || h.Claims[0].Attempts != uint32(want) {
			t.Fatalf("version %d with %d attempts, want %d of both", h.Version, h.Claims[0].Attempts, want)
		}
		w.update("doc", func(h *rollout.Holding, _ rollout.Instant) error {
			if h.Version != want {
				t.Errorf("change got version %d, want %d", h.Version, want)
			}
			return nil // no change, no version
		})
	}
}

func errorLeavesNothing(t *testing.T, w *world) {
	refused := errors.New("refused")
	spoil := func(h *rollout.Holding, at rollout.Instant) error {
		if _, err := h.Take(ask("g2", "b"), at); err != nil {
			t.Error(err)
		}
		h.Claims[0].Route = "spoilt"
		return refused
	}
	if err := w.store().Update(t.Context(), "new", spoil); err != refused {
		t.Errorf("Update returned %v, want the change's error as it is", err)
	}
	w.absent("new")

	w.take("doc", ask("g1", "a"))
	before := w.get("doc")
	if err := w.store().Update(t.Context(), "doc", spoil); err != refused {
		t.Errorf("Update returned %v, want the change's error as it is", err)
	}
	same(t, w.get("doc"), before)
	w.close()
	w.absent("new")
	same(t, w.get("doc"), before)
}

func endedContext(t *testing.T, w *world) {
	s := w.store()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := take(ctx, s, "doc", ask("g1", "a")); err == nil {
		t.Error("Update succeeded after its context ended")
	}
	w.absent("doc")
}

func copiesArePrivate(t *testing.T, w *world) {
	var kept *rollout.Holding
	w.update("doc", func(h *rollout.Holding, at rollout.Instant) error {
		kept = h
		_, err := h.Take(ask("g1", "a"), at)
		return err
	})
	kept.Claims[0].Route = "spoilt"
	w.get("doc").Claims[0].Route = "spoilt"
	if err := w.store().Open(t.Context(), func(h *rollout.Holding) error {
		h.Claims[0].Route = "spoilt"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if route := w.get("doc").Claims[0].Route; route != "documents" {
		t.Errorf("the route is %q: somebody's copy is the store's", route)
	}
}

func emptyIsRemoved(t *testing.T, w *world) {
	for range 3 { // it can come back
		w.take("doc", ask("g1", "a"))
		w.take("doc", ask("g1", "a"))
		if h := w.get("doc"); h.Version != 2 {
			t.Fatalf("version %d, want 2", h.Version)
		}
		w.update("doc", func(h *rollout.Holding, _ rollout.Instant) error {
			h.Claims = nil
			return nil
		})
		w.absent("doc")
		w.close()
		w.absent("doc")
	}
}

// anyDocument tries every kind of doc_id that the gateway lets through.
func anyDocument(t *testing.T, w *world) {
	full := strings.Repeat("é", rollout.MaxDocID/2)
	ids := []string{"a", "A", "a ", " a", "a/b", "a\x00", "a\x00b", "%61", "ä", "a\u0308", "\U0001f30a", "'; --", "\\", "\n", full, full[:len(full)-2]}
	for i, id := range ids {
		if err := rollout.CheckDocID(id); err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		for range i + 1 {
			w.take(id, ask("g1", id))
		}
	}
	large := legacy(strings.Repeat("g", 200), "0")
	large.Route = strings.Repeat("r", 1000)
	w.update("large", func(h *rollout.Holding, at rollout.Instant) error {
		for i := range rollout.MaxOpen {
			large.Intent = rollout.KeyedIntent("", "", "large", strings.Repeat("k", i))
			if _, err := h.Take(large, at); err != nil {
				return err
			}
		}
		return nil
	})
	before := w.get("large")
	w.close()
	same(t, w.get("large"), before)
	for i, id := range ids {
		h := w.get(id)
		if h.Version != uint64(i+1) || len(h.Claims) != 1 || h.Claims[0].Intent != ask("", id).Intent {
			t.Errorf("%q: %+v, want version %d of its own intent", id, *h, i+1)
		}
	}
}
