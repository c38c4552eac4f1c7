package loop

import "testing"

// A gateway that has just started does not know yet what was compared. That is no new
// beginning: all of it would count twice, and prove a step that it says nothing of.
func TestNothingKnownOfComparisonsIsNoNewBeginning(t *testing.T) {
	w := newTable(t)
	for _, c := range []Comparisons{{1000, 5}, {}, {1000, 5}, {}, {1010, 5}} {
		w.facts.Comparisons = c
		w.rule("g")
	}
	if s := w.last.State.Sum; s.Compared != 1010 || s.Mismatched != 5 {
		t.Errorf("compared %d, mismatched %d", s.Compared, s.Mismatched)
	}
}
