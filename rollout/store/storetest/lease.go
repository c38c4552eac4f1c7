package storetest

import (
	"slices"
	"testing"
	"time"

	"sluice/rollout"
)

// dead lists the dead owners, in order.
func (w *world) dead(self string) []string {
	w.t.Helper()
	owners, err := w.store().Dead(w.t.Context(), self)
	if err != nil {
		w.t.Fatalf("Dead: %v", err)
	}
	slices.Sort(owners)
	return owners
}

func (w *world) renew(owner string, ttl time.Duration) {
	w.t.Helper()
	if err := w.store().Renew(w.t.Context(), owner, ttl); err != nil {
		w.t.Fatalf("Renew: %v", err)
	}
}

// deadAreNamed has owners without any lease: of a claim on Temporal, of a claim
// on legacy, of a send under another's claim, and of a settled claim.
func deadAreNamed(t *testing.T, w *world) {
	w.renew("self", time.Hour)
	if got := w.dead("self"); len(got) != 0 {
		t.Errorf("%v are dead in an empty store", got)
	}
	w.take("1", ask("starter", "a"))
	w.take("2", ask("starter", "a"))
	w.take("3", legacy("first", "a"))
	w.take("3", legacy("second", "a")) // takes the claim over; first's send is under way
	w.take("4", legacy("done", "a"))
	w.finish("4", legacy("done", "a"))
	w.take("5", ask("self", "a"))
	want := []string{"first", "second", "starter"}
	for range 2 {
		if got := w.dead("self"); !slices.Equal(got, want) {
			t.Errorf("%v are dead, want %v", got, want)
		}
		w.close()
	}
	w.update("3", func(h *rollout.Holding, at rollout.Instant) error {
		return h.Sent(legacy("", "a").Intent, "first", true, at)
	})
	for _, id := range []string{"1", "2"} {
		w.update(id, func(h *rollout.Holding, at rollout.Instant) error {
			h.Adopt("starter", "self", time.Minute, at)
			return nil
		})
	}
	if got := w.dead("self"); !slices.Equal(got, []string{"second"}) {
		t.Errorf("%v are dead, want second alone", got)
	}
}

func leasesRunOut(t *testing.T, w *world) {
	w.take("1", ask("lives", "a"))
	w.take("2", ask("dies", "a"))
	w.renew("lives", time.Hour)
	w.renew("dies", time.Hour)
	if !w.subject.Leases {
		if got := w.dead("self"); !slices.Equal(got, []string{"dies", "lives"}) {
			t.Errorf("%v are dead, want all others: there is one gateway", got)
		}
		return
	}
	if got := w.dead("self"); len(got) != 0 {
		t.Errorf("%v are dead, though their leases live", got)
	}
	w.renew("dies", time.Millisecond) // the last word counts
	until(t, "its owner is dead", func() bool { return slices.Equal(w.dead("self"), []string{"dies"}) })
	if got := w.dead("dies"); len(got) != 0 {
		t.Errorf("%v are dead, want none: self never is", got)
	}
	w.close()
	if got := w.dead("self"); !slices.Equal(got, []string{"dies"}) {
		t.Errorf("opened again, %v are dead, want dies alone", got)
	}
	w.renew("dies", time.Hour)
	if got := w.dead("self"); len(got) != 0 {
		t.Errorf("%v are dead, though the lease was renewed", got)
	}
}
