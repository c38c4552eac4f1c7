package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sluice/rollout"
)

// account returns the books' page on the route of all asks.
func (w *world) account() rollout.Account {
	w.t.Helper()
	books, err := w.store().Books(w.t.Context())
	if err != nil {
		w.t.Fatalf("Books: %v", err)
	}
	for _, a := range books {
		if a.Route == "documents" {
			return a
		}
	}
	return rollout.Account{Route: "documents"}
}

// booksBalance looks at the books while many goroutines make every kind of change,
// some of which are refused, and counts along.
func booksBalance(t *testing.T, w *world) {
	stores := w.each()
	var want [2][rollout.ClaimVoid + 1]atomic.Uint64
	var running atomic.Int32
	running.Store(writers)
	together(t, writers+1, func(i int) error {
		if i == writers {
			return looked(t, stores[0], &running)
		}
		defer running.Add(-1)
		m := newModel(uint64(i), fmt.Sprintf("%02d/", i/2)) // two to each document
		for n := range 60 {
			operation := m.operation()
			var posted []rollout.Posting
			err := stores[n%handles].Update(t.Context(), fmt.Sprintf("%s%d", m.prefix, m.rand.IntN(4)), func(h *rollout.Holding, at rollout.Instant) error {
				was := append([]rollout.Claim(nil), h.Claims...)
				err := operation(h, at)
				if vanished(was, h) {
					return errVanished
				}
				posted = rollout.Postings(nil, was, h.Claims)
				return err
			})
			if err == nil {
				for _, p := range posted {
					want[p.Path][p.State].Add(1)
				}
			}
		}
		return nil
	})
	for range 2 {
		a := w.account()
		for path := range want {
			for state := range want[path] {
				if got := a.Tally[path][state]; got != want[path][state].Load() {
					t.Errorf("%v, %v: %d in the books, %d happened", rollout.Path(path), rollout.ClaimState(state), got, want[path][state].Load())
				}
			}
		}
		if residue := a.Balance().Residue; residue != 0 || a.Tally[0][rollout.ClaimOpen] == 0 {
			t.Errorf("%+v leaves a residue of %d", a, residue)
		}
		w.close() // and once more
	}
}

var errVanished = errors.New("an open claim would vanish")

// vanished reports whether an open claim is not there any more.
func vanished(was []rollout.Claim, h *rollout.Holding) bool {
	for i := range was {
		if was[i].Open() && h.Find(was[i].Intent) == nil {
			return true
		}
	}
	return false
}

// looked balances the books again and again.
func looked(t *testing.T, s Store, running *atomic.Int32) error {
	for running.Load() > 0 {
		books, err := s.Books(t.Context())
		if err != nil {
			return err
		}
		for i := range books {
			if b := books[i].Balance(); b.Residue != 0 {
				return fmt.Errorf("a residue while much is going on: %+v is %+v", books[i], b)
			}
		}
	}
	return nil
}

// booksOutlive waits until nothing is left but the books, and what was counted.
func booksOutlive(t *testing.T, w *world) {
	w.settings.Horizon = 300 * time.Millisecond
	for i := range 20 {
		a := legacy("g1", fmt.Sprint(i))
		a.Counts, a.Own = true, rollout.All
		w.take(fmt.Sprint(i), a)
		w.finish(fmt.Sprint(i), a)
	}
	for range 3 {
		time.Sleep(2 * w.settings.Horizon)
		want := rollout.Balance{Accepted: 20, Legacy: 20}
		if a := w.account(); a.Balance() != want {
			t.Fatalf("%+v, want %+v", a.Balance(), want)
		}
		w.absent("0")
		w.wantEver(rollout.Counts{assigned(20)})
		w.close()
	}
	w.take("new", ask("g1", "new"))
	w.close()
	want := rollout.Balance{Accepted: 21, Legacy: 20, InFlight: 1}
	if a := w.account(); a.Balance() != want {
		t.Errorf("%+v, want %+v", a.Balance(), want)
	}
}

// booksShowLoss takes open claims away without settling them.
func booksShowLoss(t *testing.T, w *world) {
	for i := range 3 {
		w.take(fmt.Sprint(i), ask("g1", fmt.Sprint(i)))
	}
	w.update("1", func(h *rollout.Holding, _ rollout.Instant) error {
		h.Claims = nil
		return nil
	})
	want := rollout.Balance{Accepted: 3, InFlight: 2, Residue: 1}
	for range 2 {
		if a := w.account(); a.Balance() != want {
			t.Errorf("%+v, want %+v", a.Balance(), want)
		}
		w.close()
	}
}
