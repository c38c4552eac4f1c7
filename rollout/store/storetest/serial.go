package storetest

import (
	"fmt"
	"sync"
	"testing"

	"sluice/rollout"
)

const (
	writers = 32
	handles = 3
)

// together runs n goroutines that start at once, and fails the test with their
// errors.
func together(t *testing.T, n int, run func(i int) error) {
	t.Helper()
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			if err := run(i); err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		})
	}
	done.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// each opens the handles first: only the test's goroutine may.
func (w *world) each() []Store {
	w.t.Helper()
	stores := make([]Store, handles)
	for i := range stores {
		stores[i] = w.handle(i)
	}
	return stores
}

// updatesAreSerial counts in Attempts: a lost or doubled update is one missing
// or one too many. Each goroutine must see its own updates, and time run forward.
func updatesAreSerial(t *testing.T, w *world) {
	const rounds = 25
	stores := w.each()
	together(t, writers, func(i int) error {
		last := uint32(0)
		for range rounds {
			var seen uint32
			err := stores[i%handles].Update(t.Context(), "doc", func(h *rollout.Holding, at rollout.Instant) error {
				_, err := h.Take(ask("g1", "a"), at)
				if err == nil {
					seen = h.Claims[0].Attempts
				}
				return err
			})
			if err != nil {
				return err
			}
			if seen <= last {
				return fmt.Errorf("attempt %d came after %d", seen, last)
			}
			last = seen
		}
		return nil
	})
	h := w.get("doc")
	if len(h.Claims) != 1 || h.Claims[0].Attempts != writers*rounds || h.Version != writers*rounds {
		t.Errorf("%+v, want %d attempts and as many versions", *h, writers*rounds)
	}
}

// documentsAreApart has many documents changed at once, some of them by two
// goroutines through two handles.
func documentsAreApart(t *testing.T, w *world) {
	const documents = 20
	stores := w.each()
	id := func(i, n int) string { return fmt.Sprintf("doc-%d-%d", i/2, n) }
	together(t, writers, func(i int) error {
		for n := range documents {
			if _, err := take(t.Context(), stores[i%handles], id(i, n), ask("g1", id(i, n))); err != nil {
				return err
			}
		}
		return nil
	})
	w.close()
	for i := range writers {
		for n := range documents {
			h := w.get(id(i, n))
			if h.Version != 2 || len(h.Claims) != 1 || h.Claims[0].Attempts != 2 || h.Claims[0].Intent != ask("", id(i, n)).Intent {
				t.Fatalf("%s: %+v, want two attempts of its own intent", id(i, n), *h)
			}
		}
	}
}
