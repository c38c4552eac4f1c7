package rollout_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"sluice/rollout"
)

const errandHorizon = 15 * time.Minute

// The store's clock and the machine's are an hour apart.
var (
	machine = time.UnixMilli(1_700_000_000_000)
	stored  = machine.Add(time.Hour)
)

func errandInstant(exposure rollout.Exposure) rollout.Instant {
	return rollout.Instant{Now: stored, Policy: rollout.Reading{Rollout: exposure}.Policy(3), Horizon: errandHorizon}
}

func errandOf(owner string, began, ended time.Duration, answered bool) rollout.Errand {
	e := rollout.Errand{DocID: "doc", Intent: "d1", Digest: [16]byte{1}, Route: "r", Owner: owner, Began: machine.Add(-began), Answered: answered}
	if ended >= 0 {
		e.Ended = machine.Add(-ended)
	}
	return e
}

const stillUnderWay = time.Duration(-1)

// record puts an errand on record twice: the second time changes nothing.
func record(t *testing.T, h *rollout.Holding, e rollout.Errand) {
	t.Helper()
	if err := h.Record(e, machine, errandInstant(0)); err != nil {
		t.Fatal(err)
	}
	once := rollout.AppendHolding(nil, h)
	if err := h.Record(e, machine, errandInstant(0)); err != nil {
		t.Fatal(err)
	}
	if again := rollout.AppendHolding(nil, h); !reflect.DeepEqual(once, again) {
		t.Errorf("recorded again it is %+v", h)
	}
}

func TestErrandBecomesAClaim(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) int64 { return stored.Add(-d).UnixMilli() }
	for name, c := range map[string]struct {
		before  *rollout.Claim
		errand  rollout.Errand
		state   rollout.ClaimState
		settled int64
		none    bool
	}{
		"answered":           {errand: errandOf("a", 3*time.Minute, 2*time.Minute, true), state: rollout.ClaimDone, settled: ago(2 * time.Minute)},
		"lost":               {errand: errandOf("a", 3*time.Minute, 2*time.Minute, false), state: rollout.ClaimLost, settled: ago(2 * time.Minute)},
		"under way":          {errand: errandOf("a", 3*time.Minute, stillUnderWay, false), state: rollout.ClaimOpen},
		"long ago":           {errand: errandOf("a", 20*time.Minute, errandHorizon, true), none: true},
		"a clock set back":   {errand: rollout.Errand{Intent: "d1", Ended: machine.Add(time.Hour), Answered: true}, state: rollout.ClaimDone, settled: ago(0)},
		"older than a retry": {before: &rollout.Claim{State: rollout.ClaimLost, Settled: ago(time.Minute)}, errand: errandOf("a", 3*time.Minute, 2*time.Minute, true), state: rollout.ClaimLost, settled: ago(time.Minute)},
		"newer than a retry": {before: &rollout.Claim{State: rollout.ClaimLost, Settled: ago(5 * time.Minute)}, errand: errandOf("a", 3*time.Minute, 2*time.Minute, true), state: rollout.ClaimDone, settled: ago(2 * time.Minute)},
		"while a retry runs": {before: &rollout.Claim{Sends: []rollout.Sends{{Owner: "b", Count: 1}}}, errand: errandOf("a", 3*time.Minute, 2*time.Minute, true), state: rollout.ClaimOpen},
		"under way again":    {before: &rollout.Claim{State: rollout.ClaimDone, Settled: ago(time.Minute)}, errand: errandOf("a", 3*time.Minute, stillUnderWay, true), state: rollout.ClaimOpen},
	} {
		h := &rollout.Holding{DocID: "doc"}
		if c.before != nil {
			c.before.Intent, c.before.Digest = "d1", [16]byte{1}
			h.Claims = append(h.Claims, *c.before)
		}
		record(t, h, c.errand)
		got := h.Find("d1")
		switch {
		case c.none && got != nil:
			t.Errorf("%s: left %+v", name, got)
		case !c.none && (got == nil || got.State != c.state || got.Settled != c.settled || got.Path != rollout.Legacy):
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The claim of an errand does what every claim does: the key is held, retries go to
// legacy whatever the percentage, and what a dead process left is lost in the end.
func TestErrandsClaimHoldsItsRetries(t *testing.T) {
	t.Parallel()
	h := &rollout.Holding{DocID: "doc"}
	record(t, h, errandOf("dead", 30*time.Second, stillUnderWay, false))
	at := errandInstant(rollout.All)
	if _, err := h.Take(rollout.Ask{Intent: "d1", Digest: [16]byte{2}, Temporal: true, Once: true}, at); !errors.Is(err, rollout.ErrKeyReused) {
		t.Errorf("the key with another body: %v", err)
	}
	if g, err := h.Take(rollout.Ask{Intent: "d2", Digest: [16]byte{2}, Temporal: true, Owner: "b"}, at); err != nil || g.Path != rollout.Legacy {
		t.Errorf("another version while it is under way: %+v, %v", g, err)
	}
	if err := h.Sent("d2", "b", true, at); err != nil {
		t.Fatal(err)
	}
	if h.Adopt("dead", "b", time.Minute, at); h.Find("d1").State != rollout.ClaimOpen {
		t.Errorf("given up before legacy's time was over: %+v", h.Find("d1"))
	}
	at.Now = at.Now.Add(31 * time.Second)
	if h.Adopt("dead", "b", time.Minute, at); h.Find("d1").State != rollout.ClaimLost {
		t.Errorf("%+v", h.Find("d1"))
	}
	if g, err := h.Take(rollout.Ask{Intent: "d1", Digest: [16]byte{1}, Temporal: true, Owner: "b"}, at); err != nil || g.Path != rollout.Legacy {
		t.Errorf("a retry: %+v, %v", g, err)
	}
}

func TestErrandOfADocumentOnTemporalIsRefused(t *testing.T) {
	t.Parallel()
	h := &rollout.Holding{DocID: "doc"}
	if _, err := h.Take(rollout.Ask{Intent: "d2", Temporal: true}, errandInstant(rollout.All)); err != nil {
		t.Fatal(err)
	}
	before := rollout.AppendHolding(nil, h)
	err := h.Record(errandOf("a", time.Minute, 0, true), machine, errandInstant(0))
	if !errors.Is(err, rollout.ErrMoved) || !reflect.DeepEqual(before, rollout.AppendHolding(nil, h)) {
		t.Errorf("%v, %+v", err, h)
	}
}

func TestErrandOfADeadProcessIsLostInTheEnd(t *testing.T) {
	t.Parallel()
	e := errandOf("dead", 30*time.Second, stillUnderWay, false)
	if got := e.Close(machine, time.Minute); !got.Ended.IsZero() {
		t.Errorf("given up too early: %+v", got)
	}
	late := machine.Add(time.Hour)
	if got := e.Close(late, time.Minute); !got.Ended.Equal(e.Began.Add(time.Minute)) || got.Answered {
		t.Errorf("%+v", got)
	}
}

func TestPassesAwayIsTheRestOfTheExposure(t *testing.T) {
	t.Parallel()
	for _, floor := range []rollout.Exposure{rollout.None, 1, 500_000, rollout.All} {
		for _, bucket := range []rollout.Bucket{0, 1, 499_999, 500_000, 999_999} {
			ask := rollout.Ask{Bucket: bucket}
			policy := rollout.Reading{Rollout: floor}.Policy(1)
			if toTemporal := policy.Decide(rollout.Question{Bucket: bucket}).Path == rollout.Temporal; ask.PassesAway(floor) == toTemporal {
				t.Errorf("bucket %d passes at %v, where it goes to Temporal: %v", bucket, floor, toTemporal)
			}
			if ask.Once = true; ask.PassesAway(floor) {
				t.Errorf("bucket %d passes at %v, though nobody can tell whether it went before", bucket, floor)
			}
		}
	}
}
