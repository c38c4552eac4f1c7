package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
)

// visited returns the holdings that Open visits, by document.
func (w *world) visited() map[string]*rollout.Holding {
	w.t.Helper()
	found := map[string]*rollout.Holding{}
	err := w.store().Open(w.t.Context(), func(h *rollout.Holding) error {
		if found[h.DocID] != nil {
			w.t.Errorf("Open visited %q twice", h.DocID)
		}
		found[h.DocID] = h
		return nil
	})
	if err != nil {
		w.t.Fatalf("Open: %v", err)
	}
	return found
}

func openAreVisited(t *testing.T, w *world) {
	if found := w.visited(); len(found) != 0 {
		t.Errorf("Open visited %d holdings of an empty store", len(found))
	}
	var want []string
	for i := range 50 {
		id := fmt.Sprintf("doc-%02d", i)
		w.take(id, legacy("g1", "a"))
		switch i % 5 {
		case 0: // one claim is settled, another is open
			w.finish(id, legacy("g1", "a"))
			w.take(id, legacy("g1", "b"))
		case 1, 2:
			w.finish(id, legacy("g1", "a"))
			continue
		}
		want = append(want, id)
	}
	found := w.visited()
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("Open visited %v\nwant %v", got, want)
	}
	for id, h := range found {
		same(t, h, w.get(id))
	}
	enough, visits := errors.New("enough"), 0
	err := w.store().Open(t.Context(), func(*rollout.Holding) error {
		visits++
		return enough
	})
	if err != enough || visits != 1 {
		t.Errorf("Open returned %v after %d visits, want visit's error as it is after one", err, visits)
	}
}

func reopeningKeeps(t *testing.T, w *world) {
	want := map[string]*rollout.Holding{}
	for round := range 3 {
		for i := range 40 {
			id := fmt.Sprintf("doc-%d", i)
			if i%3 == 0 {
				w.take(id, legacy("g1", "a"))
				w.finish(id, legacy("g1", "a"))
			} else {
				w.take(id, ask("g1", fmt.Sprint(round)))
			}
			want[id] = w.get(id)
		}
		w.close()
		for id, h := range want {
			same(t, w.get(id), h)
		}
	}
}

// short is a horizon that a test can wait for.
const short = 300 * time.Millisecond

// patience is how long a test waits for what must happen soon.
const patience = 10 * time.Second

// until polls for what must become true.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !true(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not so that %s", patience, what)
		}
	}
}

func settledExpire(t *testing.T, w *world) {
	w.settings.Horizon = short
	const documents = 50
	id := func(i int) string { return fmt.Sprintf("doc-%d", i) }
	for i := range documents {
		w.take(id(i), legacy("g1", "a"))
		w.finish(id(i), legacy("g1", "a"))
	}
	for i := range documents {
		until(t, id(i)+" is forgotten", func() bool { return w.get(id(i)).Version == 0 })
		w.absent(id(i))
	}
	w.close()
	w.absent(id(0))
	w.update(id(0), func(h *rollout.Holding, _ rollout.Instant) error {
		if h.DocID != id(0) || h.Version != 0 || len(h.Claims) != 0 {
			t.Errorf("change got %+v of an expired document, want an empty holding", *h)
		}
		return nil
	})
	w.take(id(0), legacy("g1", "b"))
	if h := w.get(id(0)); h.Version != 1 || len(h.Claims) != 1 {
		t.Errorf("%+v, want version 1 with the new claim alone", *h)
	}
}

// openStay also has a settled claim beside an open one: they go together.
func openStay(t *testing.T, w *world) {
	w.settings.Horizon = short
	w.take("open", legacy("g1", "a"))
	w.take("both", legacy("g1", "a"))
	w.take("both", legacy("g1", "b"))
	w.finish("both", legacy("g1", "a"))
	w.take("settled", legacy("g1", "a"))
	w.finish("settled", legacy("g1", "a"))
	open, both := w.get("open"), w.get("both")
	until(t, "the settled one is forgotten", func() bool { return w.get("settled").Version == 0 })
	time.Sleep(short)
	for range 2 {
		same(t, w.get("open"), open)
		same(t, w.get("both"), both)
		if got := slices.Sorted(maps.Keys(w.visited())); !slices.Equal(got, []string{"both", "open"}) {
			t.Errorf("Open visited %v, want both and open", got)
		}
		w.close()
	}
	w.finish("both", legacy("g1", "b"))
	until(t, "the other is forgotten too", func() bool { return w.get("both").Version == 0 })
}
