package rollout_test

import (
	"errors"
	"testing"

	"sluice/rollout"
)

func onceWish() rollout.Ask {
	ask := wish("k")
	ask.Once = true
	return ask
}

// How a request to legacy ended says what its retry gets.
func TestRetryOfWhatGoesToLegacyOnce(t *testing.T) {
	at := instant(rollout.None)
	sent := func(answered bool) func(*rollout.Holding) error {
		return func(h *rollout.Holding) error { return h.Sent("k", "g", answered, at) }
	}
	for name, row := range map[string]struct {
		end   func(*rollout.Holding) error
		state rollout.ClaimState
		step  rollout.Step
	}{
		"answered for good": {sent(true), rollout.ClaimDone, rollout.StepReplay},
		"no answer":         {sent(false), rollout.ClaimLost, rollout.StepSend},
		"repeat": {func(h *rollout.Holding) error { return h.Declined("k", "g", at) },
			rollout.ClaimFailed, rollout.StepSend},
		"its gateway died": {func(h *rollout.Holding) error { h.Adopt("g", "h", 0, at); return nil },
			rollout.ClaimLost, rollout.StepSend},
	} {
		t.Run(name, func(t *testing.T) {
			h := &rollout.Holding{DocID: "a"}
			first, err := h.Take(onceWish(), at)
			if err != nil || first.Step != rollout.StepSend {
				t.Fatalf("%+v, %v", first, err)
			}
			if _, err := h.Take(onceWish(), at); !errors.Is(err, rollout.ErrUnderWay) {
				t.Errorf("while it is under way: %v", err)
			}
			if err := row.end(h); err != nil || h.Find("k").State != row.state {
				t.Errorf("settled as %v, %v", h.Find("k").State, err)
			}
			again, err := h.Take(onceWish(), at)
			if err != nil || again.Step != row.step || again.Path != rollout.Legacy || again.Life != first.Life {
				t.Errorf("the retry: %+v, %v", again, err)
			}
		})
	}
}

// Without Once legacy gets every retry, also while the first is there.
func TestWithoutOnceLegacyGetsEveryRetry(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	for range 2 {
		if g, err := h.Take(wish("k"), instant(rollout.None)); err != nil || g.Step != rollout.StepSend {
			t.Errorf("%+v, %v", g, err)
		}
	}
	for range 2 {
		_ = h.Sent("k", "g", true, instant(rollout.None))
	}
	if g, err := h.Take(wish("k"), instant(rollout.None)); err != nil || g.Step != rollout.StepSend {
		t.Errorf("after its answer: %+v, %v", g, err)
	}
}

// One broken request outweighs another's wish for a repeat.
func TestDeclinedAndBrokenIsLost(t *testing.T) {
	at := instant(rollout.None)
	h := &rollout.Holding{DocID: "a"}
	for range 2 {
		_, _ = h.Take(wish("k"), at)
	}
	_ = h.Sent("k", "g", false, at)
	if err := h.Declined("k", "g", at); err != nil || h.Find("k").State != rollout.ClaimLost {
		t.Errorf("settled as %v, %v", h.Find("k").State, err)
	}
	if err := h.Declined("k", "g", at); !errors.Is(err, rollout.ErrClaimGone) {
		t.Errorf("once more: %v", err)
	}
}
