package evidence_test

import (
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/evidence"
)

// A run that could not be started is over; if it is begun again and its gateway dies, it
// is missed all the same.
func TestARunThatBeginsAnewIsMissed(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "dead"), func(k *evidence.Keeper) {
		begin(t, k, "a")
		k.Dropped("r", "a", rollout.DropTemporal)
		for report(t, s).Certificate.Evidence.Starts.Dropped["temporal"] == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		begin(t, k, "b") // and "a" is not among those that run any more
		if !begin(t, k, "a") {
			t.Error("it does not begin again")
		}
		s.mu.Lock()
		s.cut = s.writes + 1
		s.mu.Unlock()
	})
	s.cut = 0
	keep(t, config(t, s, "next"), func(*evidence.Keeper) { waitFor(t, s, 2) })
	if starts := report(t, s).Certificate.Evidence.Starts; starts.Dropped["restart"] != 2 {
		t.Errorf("%+v", starts)
	}
}

// Whoever waits for a note learns that it cannot be made, whatever else goes wrong.
func TestNobodyWaitsForANoteForGood(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "dead"), func(k *evidence.Keeper) { begin(t, k, "x") })
	s.cut = s.writes + 1 // the opening note, and an inheritance that may have been stored
	keep(t, config(t, s, "next"), func(k *evidence.Keeper) {
		time.Sleep(300 * time.Millisecond)
		s.set(func() { s.blind = true })
		begun := make(chan bool)
		go func() { begun <- begin(t, k, "a") }()
		select {
		case is := <-begun:
			if is {
				t.Error("it is on record, and nothing can be written")
			}
		case <-time.After(10 * time.Second):
			t.Error("it waits still")
		}
		s.set(func() { s.blind, s.cut = false, 0 })
		for deadline := time.Now().Add(10 * time.Second); !begin(t, k, "b"); {
			if time.Now().After(deadline) {
				t.Fatal("nothing is on record though all is well again")
			}
		}
	})
}
