package rollout_test

import (
	"errors"
	"testing"
	"time"

	"sluice/rollout"
)

func anHour(string) time.Duration { return time.Hour }

// line takes claims of one document in order; the first is running on Temporal.
func line(t *testing.T, intents ...string) (*rollout.Holding, []rollout.Grant) {
	t.Helper()
	h := &rollout.Holding{DocID: "a"}
	var grants []rollout.Grant
	for _, intent := range intents {
		g, err := h.Take(wish(intent), instant(rollout.All))
		if err != nil {
			t.Fatal(err)
		}
		grants = append(grants, g)
	}
	if err := h.Attempted(rollout.Intent(intents[0]), grants[0].Life, rollout.VerdictAccepted); err != nil {
		t.Fatal(err)
	}
	return h, grants
}

// The net of a delayed start is below the limits of all runs before it, also of
// those that were delayed themselves and released early: their limit was counted
// from the end of their delay.
func TestDelayOutlastsThoseBefore(t *testing.T) {
	h, grants := line(t, "k1", "k2", "k3")
	at := instant(rollout.All)
	for i, want := range []time.Duration{time.Hour, 2 * time.Hour} {
		intent := rollout.Intent([]string{"k2", "k3"}[i])
		if got, err := h.Delay(intent, grants[i+1].Life, "g", anHour, at); err != nil || got != want {
			t.Errorf("%s is delayed by %v, %v, want %v", intent, got, err, want)
		}
		_ = h.Attempted(intent, grants[i+1].Life, rollout.VerdictAccepted)
	}
	_ = h.Ended("k1", grants[0].Life, rollout.ClaimDone, at)
	if err := h.Released("k2", grants[1].Life); err != nil {
		t.Fatal(err)
	}
	g, err := h.Take(wish("k4"), at)
	if err != nil || g.Step != rollout.StepWait {
		t.Fatalf("%+v, %v", g, err)
	}
	if got, err := h.Delay("k4", g.Life, "g", anHour, at); err != nil || got != 3*time.Hour {
		t.Errorf("behind one that may run for two hours, and one more, it is delayed by %v, %v", got, err)
	}
}

func TestReleaseGoesInOrder(t *testing.T) {
	h, grants := line(t, "k1", "k2", "k3")
	at := instant(rollout.All)
	if _, err := h.Delay("k1", grants[0].Life, "g", anHour, at); !errors.Is(err, rollout.ErrFirst) {
		t.Errorf("the first was delayed: %v", err)
	}
	for i, intent := range []rollout.Intent{"k2", "k3"} {
		_, _ = h.Delay(intent, grants[i+1].Life, "g", anHour, at)
		_ = h.Attempted(intent, grants[i+1].Life, rollout.VerdictAccepted)
		if err := h.Released(intent, grants[i+1].Life); !errors.Is(err, rollout.ErrNotFirst) {
			t.Errorf("%s: %v", intent, err)
		}
	}
	if err := h.Move("k3", grants[2].Life, "g", at); !errors.Is(err, rollout.ErrNotFenced) {
		t.Errorf("what Temporal holds back was moved: %v", err)
	}
	_ = h.Force("k1", grants[0].Life, rollout.ClaimLost, at)
	if h.Releasable("k3", grants[2].Life) || h.Released("k2", grants[1].Life) != nil || h.Find("k2").Delayed {
		t.Errorf("%+v", h.Claims)
	}
	_ = h.Ended("k2", grants[1].Life, rollout.ClaimFailed, at)
	if again, err := h.Take(wish("k2"), at); err != nil || again.Step != rollout.StepWait || h.Find("k2").Begins != 0 {
		t.Errorf("the next life of k2: %+v, %v", again, err)
	}
	if err := h.Released("k3", grants[2].Life); err != nil {
		t.Error(err)
	}
}

// A start that a delayed one may overtake by itself is made no more: its intent
// goes to the end of the line, once nothing of it can arrive.
func TestWhatMayBeOvertakenIsNotStarted(t *testing.T) {
	h, _ := line(t, "k1")
	at := instant(rollout.All)
	_ = h.Force("k1", h.Find("k1").Life, rollout.ClaimDone, at)
	first, _ := h.Take(wish("k2"), at) // its start is lost
	second, _ := h.Take(wish("k3"), at)
	if _, err := h.Delay("k3", second.Life, "g", anHour, at); err != nil {
		t.Fatal(err)
	}
	ask := wish("k2")
	ask.Limit = time.Minute
	if g, err := h.Take(ask, at); err != nil || g.Step != rollout.StepStart {
		t.Errorf("in time: %+v, %v", g, err)
	}
	at.Now = at.Now.Add(time.Hour - 30*time.Second)
	if _, err := h.Take(ask, at); !errors.Is(err, rollout.ErrLate) {
		t.Errorf("too late: %v", err)
	}
	_ = h.Fenced("k2", first.Life)
	if g, err := h.Take(ask, at); err != nil || g.Step != rollout.StepWait || g.Life != first.Life+1 {
		t.Errorf("when nothing of it can arrive: %+v, %v", g, err)
	}
}

// A delayed start that was refused, or fenced off, leaves nothing to release.
func TestDelayedStartThatNeverHappened(t *testing.T) {
	h, grants := line(t, "k1", "k2")
	at := instant(rollout.All)
	for range 2 {
		_, _ = h.Delay("k2", grants[1].Life, "g", anHour, at)
	}
	_ = h.Attempted("k2", grants[1].Life, rollout.VerdictNothing)
	if c := h.Find("k2"); !c.Delayed || c.Unsettled != 1 {
		t.Errorf("one of two: %+v", c)
	}
	_ = h.Attempted("k2", grants[1].Life, rollout.VerdictNothing)
	if c := h.Find("k2"); c.Delayed || c.Begins != 0 || c.Unsettled != 0 {
		t.Errorf("both: %+v", c)
	}
	_, _ = h.Delay("k2", grants[1].Life, "g", anHour, at)
	_ = h.Fenced("k2", grants[1].Life)
	if err := h.Void("k2", grants[1].Life, at); err != nil || h.Find("k2").Delayed {
		t.Errorf("%v: %+v", err, h.Find("k2"))
	}
}

// What comes back from Temporal comes in any order, and goes by the lives' numbers.
func TestRestoredClaimsStandInLine(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	at := instant(rollout.None)
	h.Restore("k2", 20, "documents", "g", rollout.ClaimOpen, true, at)
	h.Restore("k1", 10, "documents", "g", rollout.ClaimOpen, false, at)
	if front, awaited := h.Front(); front.Intent != "k1" || !awaited || h.Releasable("k2", 20) {
		t.Errorf("%+v", h.Claims)
	}
	// One whose next life stood further back came before the one that runs.
	h = &rollout.Holding{DocID: "a"}
	h.Restore("k2", 10, "documents", "g", rollout.ClaimOpen, true, at)
	h.Restore("k1", 20, "documents", "g", rollout.ClaimOpen, false, at)
	if h.Releasable("k2", 10) {
		t.Error("it would run beside the other")
	}
	_ = h.Ended("k1", 20, rollout.ClaimDone, at)
	if !h.Releasable("k2", 10) {
		t.Errorf("%+v", h.Claims)
	}
}

// A claim from before there were delays is read as it was written.
func TestClaimWithoutADelayIsEncodedAsBefore(t *testing.T) {
	h := &rollout.Holding{DocID: "d", Version: 1, Claims: []rollout.Claim{{Intent: "k", Route: "r", Owner: "g", Path: rollout.Temporal,
		State: rollout.ClaimVoid, Life: 7, Epoch: 1, Born: 2, Settled: 3, Attempts: 4, Unsettled: 5, Accepted: true}}}
	before := "\x01\x01d\x01\x01" + "\x01k" + string(make([]byte, 16)) + "\x01r" + "\x01g" + "\x8b" + "\x07\x01\x02\x03\x04\x05\x00\x00"
	if got := string(rollout.AppendHolding(nil, h)); got != before {
		t.Errorf("%q, want %q", got, before)
	}
}
