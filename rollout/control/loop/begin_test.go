package loop

import (
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
)

// A gateway that has just started does not know yet what was compared. That is no new
// beginning: all of it would count twice, and prove a step that it says nothing of.
func TestNothingKnownOfComparisonsIsNoNewBeginning(t *testing.T) {
	w := newTable(t)
	for _, compared := range []uint64{1000, 0, 1000, 0, 1010} {
		if w.facts.Comparisons = (Comparisons{}); compared > 0 {
			w.facts.Comparisons = Comparisons{At: w.session.Now, Compared: compared, Mismatched: 5}
		}
		w.rule("g")
	}
	if s := w.last.State.Sum; s.Compared != 1010 || s.Mismatched != 5 {
		t.Errorf("compared %d, mismatched %d", s.Compared, s.Mismatched)
	}
}

// The ceiling of a step may be in force before it begins: on a first start, and when a
// plan is edited under way. No epoch follows then, and what is counted proves the step.
func TestAStepWhoseCeilingIsInForceIsProved(t *testing.T) {
	shadow := control.Step{Name: "shadow", Agreement: true}
	w := newTable(t, shadow, control.Step{Name: "half", Exposure: rollout.All / 2, Errors: true}, control.Step{Name: "all", Exposure: rollout.All})
	w.session.Policy.Plan = rollout.None // as before anything is known
	prove := func(what string, want rollout.Exposure) {
		t.Helper()
		for range 60 {
			w.docs(rollout.Legacy, 50, 0)
			if w.session.Policy.Exposure() > rollout.None {
				w.docs(rollout.Temporal, 50, 0)
			}
			w.compare(10)
			w.rule("g")
		}
		if plan := w.session.Policy.Plan; plan != want {
			t.Errorf("%s: the plan is at %v, not at %v: %s, missing %s", what, plan, want, w.last.Decision.Reason, w.last.Decision.Missing)
		}
	}
	w.config.Plan.Steps[1].Dwell = time.Hour
	prove("at the start", rollout.All/2)
	w.config.Plan.Steps[1].Dwell = time.Second
	w.rule("g")
	if s := w.last.State.Tally.Sum; s.Temporal.Good+s.Compared > 0 {
		t.Errorf("what was counted before the edit proves the step: %+v", s)
	}
	prove("after an edit", rollout.All)
}
