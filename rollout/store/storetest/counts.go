package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/rollout"
)

// sums are counts, added up by many.
type sums struct {
	mu  sync.Mutex
	all rollout.Counts // guarded by mu
}

func (s *sums) add(counts []rollout.Count) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range counts {
		s.all.Add(c)
	}
}

// text lists them in order.
func text(counts rollout.Counts) string {
	counts = slices.DeleteFunc(slices.Clone(counts), func(c rollout.Count) bool { return c.Event == rollout.EventPlaced }) // as often as EventAssigned here
	slices.SortFunc(counts, func(a, b rollout.Count) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.What(), b.What()))
	})
	return fmt.Sprintf("%+v", counts)
}

// ever returns all that was ever counted, if takeCounts alone decides: what it
// took, which is the state, and what it will take.
func ever(now rollout.Session) (rollout.Counts, error) {
	var all rollout.Counts
	if now.State != nil {
		if _, err := rollout.ParseCounts(now.State, all.Add); err != nil {
			return nil, fmt.Errorf("the state is %q: %w", now.State, err)
		}
	}
	for _, c := range now.Counts {
		all.Add(c)
	}
	return all, nil
}

// takeCounts is a rule.
func takeCounts(now rollout.Session) (rollout.Ruling, error) {
	all, err := ever(now)
	return rollout.Ruling{State: rollout.AppendCounts(nil, all), Plan: rollout.All}, err
}

// decide makes a ruling that must be made.
func decide(ctx context.Context, s Store, rule func(rollout.Session) (rollout.Ruling, error)) error {
	if led, err := s.Decide(ctx, "g1", rule); err != nil || !led {
		return fmt.Errorf("the decision (led: %v): %w", led, err)
	}
	return nil
}

func (w *world) look() rollout.Session {
	w.t.Helper()
	now, err := w.store().Look(w.t.Context())
	if err != nil {
		w.t.Fatalf("Look: %v", err)
	}
	return now
}

// wantEver checks what was ever counted.
func (w *world) wantEver(want rollout.Counts) {
	w.t.Helper()
	got, err := ever(w.look())
	if err != nil || text(got) != text(want) {
		w.t.Errorf("counted %s, %v\nwant    %s", text(got), err, text(want))
	}
}

// countsAreExact counts along while many goroutines make every kind of change, some
// of which are refused or change nothing, and one takes what was counted.
func countsAreExact(t *testing.T, w *world) {
	stores := w.each()
	var want sums
	var running atomic.Int32
	running.Store(writers)
	together(t, writers+1, func(i int) error {
		for i == writers && running.Load() > 0 {
			if err := decide(t.Context(), stores[1], takeCounts); err != nil {
				return err
			}
		}
		if i == writers {
			return nil
		}
		defer running.Add(-1)
		m := newModel(uint64(i), fmt.Sprintf("%02d/", i/2)) // two to each document
		for n := range 80 {
			docID := fmt.Sprintf("%s%d", m.prefix, m.rand.IntN(4))
			if err := countAlong(t.Context(), stores[n%handles], docID, m.operation(), &want); err != nil {
				return err
			}
		}
		return nil
	})
	if len(want.all) < 8 {
		t.Errorf("the changes counted too little to mean much: %+v", want.all)
	}
	for range 3 {
		w.wantEver(want.all)
		w.close()
	}
	if err := decide(t.Context(), w.store(), takeCounts); err != nil {
		t.Fatal(err)
	}
	w.wantEver(want.all)
	if now := w.look(); len(now.Counts) > 0 {
		t.Errorf("%+v are left after all were taken", now.Counts)
	}
}

var errUncleared = errors.New("a change was given counts")

// countAlong makes a change, and adds what it counted if it was stored.
func countAlong(ctx context.Context, s Store, docID string, operation change, want *sums) error {
	var counted []rollout.Count
	var uncleared bool
	err := s.Update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) error {
		uncleared = uncleared || len(h.Counts) > 0
		before, was := rollout.AppendHolding(nil, h), slices.Clone(h.Claims)
		err := operation(h, at)
		if vanished(was, h) {
			return errVanished
		}
		h.Counts = append(h.Counts, rollout.Count{Epoch: 3, Event: rollout.EventCompared, Times: 2})
		if counted = nil; !bytes.Equal(before, rollout.AppendHolding(nil, h)) {
			counted = slices.Clone(h.Counts)
		}
		return err
	})
	if uncleared {
		return errUncleared
	}
	if err == nil {
		want.add(counted)
	}
	return nil
}

// countsOfNothing counts in changes that fail, and in those that change nothing.
func countsOfNothing(t *testing.T, w *world) {
	refused := errors.New("refused")
	w.take("old", ask("g1", "a"))
	for _, docID := range []string{"old", "new"} {
		err := w.store().Update(t.Context(), docID, func(h *rollout.Holding, at rollout.Instant) error {
			_, err := h.Take(tried("g1", "b"), at)
			return errors.Join(err, refused)
		})
		if !errors.Is(err, refused) {
			t.Error(err)
		}
		w.update(docID, func(h *rollout.Holding, at rollout.Instant) error {
			h.Counts = append(h.Counts, rollout.Count{Epoch: 1, Times: 1})
			return nil
		})
	}
	for range 2 {
		w.wantEver(nil)
		w.close()
	}
	w.take("new", tried("g1", "b"))
	w.wantEver(rollout.Counts{assigned(1)})
}

// tried is an ask that counts.
func tried(owner, name string) rollout.Ask {
	a := ask(owner, name)
	a.Counts, a.Own = true, rollout.All
	return a
}

// assigned is what n asks count.
func assigned(n uint64) rollout.Count {
	return rollout.Count{Epoch: everything().Epoch, Exposure: rollout.All, Arm: rollout.Temporal, Event: rollout.EventAssigned, Times: n}
}

// countsAreTakenOnce takes what was counted, again and again.
func countsAreTakenOnce(t *testing.T, w *world) {
	for round := range uint64(4) {
		for i := range round {
			w.take(fmt.Sprint(round, "-", i), tried("g1", "a"))
		}
		looked := w.look()
		for again := range 2 {
			if err := decide(t.Context(), w.store(), func(now rollout.Session) (rollout.Ruling, error) {
				want := rollout.Counts{assigned(round)}
				if again > 0 || round == 0 {
					want = nil
				}
				if text(now.Counts) != text(want) || again == 0 && text(looked.Counts) != text(want) {
					t.Errorf("round %d: Look saw %+v, Decide takes %+v, want %+v", round, looked.Counts, now.Counts, want)
				}
				return rollout.Ruling{Plan: rollout.All}, nil
			}); err != nil {
				t.Fatal(err)
			}
			w.close()
		}
	}
}
