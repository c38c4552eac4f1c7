package rollout_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/rollout"
)

var noon = time.UnixMilli(1_800_000_000_000)

func instant(exposure rollout.Exposure) rollout.Instant {
	return rollout.Instant{Now: noon, Policy: rollout.Reading{Rollout: exposure}.Policy(1), Horizon: 15 * time.Minute}
}

func wish(intent string) rollout.Ask {
	return rollout.Ask{Intent: rollout.Intent(intent), Route: "documents", Temporal: true, Owner: "g", Digest: [16]byte{1}}
}

// A document that changes all the time keeps a record of bounded size and is
// never refused for its past.
func TestHotDocumentKeepsABoundedRecord(t *testing.T) {
	h := &rollout.Holding{DocID: "hot"}
	for i := range 5000 {
		intent := rollout.Intent(fmt.Sprint("k", i))
		if _, err := h.Take(wish(string(intent)), instant(rollout.None)); err != nil {
			t.Fatalf("version %d: %v", i, err)
		}
		if err := h.Sent(intent, "g", true, instant(rollout.None)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(h.Claims); n > rollout.MaxSettled+1 || h.Find("k4999") == nil || h.Find("k0") != nil {
		t.Errorf("%d claims are kept", n)
	}
}

func TestTooManyOpenIntentsAreRefused(t *testing.T) {
	h := &rollout.Holding{DocID: "hot"}
	for i := range rollout.MaxOpen {
		if _, err := h.Take(wish(fmt.Sprint("k", i)), instant(rollout.All)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Take(wish("one more"), instant(rollout.All)); !errors.Is(err, rollout.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if _, err := h.Take(wish("k3"), instant(rollout.All)); err != nil {
		t.Errorf("a retry: %v", err)
	}
}

func TestClaimsExpire(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	at := instant(rollout.None)
	grant, _ := h.Take(wish("k"), at)
	if h.Expires(at.Horizon) != 0 {
		t.Error("an open claim expires")
	}
	_ = h.Sent("k", "g", true, at)
	if got := h.Expires(at.Horizon); got != noon.Add(at.Horizon).UnixMilli() {
		t.Errorf("it expires at %d", got)
	}
	at.Now = noon.Add(at.Horizon)
	at.Policy = rollout.Reading{Rollout: rollout.All}.Policy(2)
	again, err := h.Take(wish("k"), at)
	if err != nil || again.Path != rollout.Temporal || again.Life <= grant.Life {
		t.Errorf("after the horizon: %+v, %v", again, err)
	}
}

// What comes back from Temporal after claims were lost brings no digest.
func TestRestoredClaimTakesTheFirstRetry(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	keyed, ids := rollout.KeyedIntent("r", "", "a", "key"), rollout.WorkflowIDs{Prefix: "ingest"}
	_, intent, life, ok := ids.Parse(ids.Of("x/y", keyed, 7), "")
	if !ok || intent != keyed || life != 7 {
		t.Fatalf("read %s, %d, %v", intent, life, ok)
	}
	h.Restore(keyed, 7, "documents", "g", rollout.ClaimOpen, false, instant(rollout.None))
	if g, err := h.Take(wish(string(keyed)), instant(rollout.None)); err != nil || g.Step != rollout.StepJoin || g.Life != 7 {
		t.Errorf("%+v, %v", g, err)
	}
	other := wish(string(keyed))
	other.Digest = [16]byte{2}
	if _, err := h.Take(other, instant(rollout.None)); !errors.Is(err, rollout.ErrKeyReused) {
		t.Errorf("another request under the key: %v", err)
	}
	for _, id := range []string{"ingest/a", "other/a/" + string(keyed) + "/1", "ingest/a/short/1", "ingest/a/" + string(keyed) + "/x"} {
		if _, _, _, ok := ids.Parse(id, ""); ok {
			t.Errorf("%s was taken for one of ours", id)
		}
	}
}

// An operator's word that nobody will ever know lets nothing run a second time on
// Temporal, and leaves legacy as it is without the gateway.
func TestLostIsNotRunAgainOnTemporal(t *testing.T) {
	for state, want := range map[rollout.ClaimState]rollout.Step{
		rollout.ClaimDone: rollout.StepReplay, rollout.ClaimDead: rollout.StepReplay, rollout.ClaimLost: rollout.StepReplay,
		rollout.ClaimFailed: rollout.StepStart, rollout.ClaimVoid: rollout.StepStart,
	} {
		for _, path := range rollout.Paths() {
			at := rollout.Instant{Now: time.UnixMilli(1_000_000), Policy: rollout.Reading{Rollout: rollout.All}.Policy(1), Horizon: time.Hour}
			ask := rollout.Ask{Intent: "k", Route: "r", Owner: "g", Temporal: path == rollout.Temporal}
			h := rollout.Holding{DocID: "doc"}
			first, err := h.Take(ask, at)
			if err != nil || h.Force("k", first.Life, state, at) != nil {
				t.Fatal("not taken, or not settled")
			}
			again, err := h.Take(ask, at)
			want := want
			if path == rollout.Legacy {
				want = rollout.StepSend
			}
			if err != nil || again.Step != want || (want == rollout.StepReplay) != (again.Life == first.Life && path == rollout.Temporal) {
				t.Errorf("%v as %v: %+v, %v after life %d, want step %d", path, state, again, err, first.Life, want)
			}
		}
	}
}

func TestNothingIsSettledAsOpen(t *testing.T) {
	h := rollout.Holding{Claims: []rollout.Claim{{Intent: "k", Life: 7, Path: rollout.Temporal, Unsettled: 1}}}
	if err := h.Force("k", 7, rollout.ClaimOpen, rollout.Instant{}); !errors.Is(err, rollout.ErrNotSettling) || h.Claims[0].Unsettled != 1 || h.Claims[0].Settled != 0 {
		t.Errorf("%v: %+v", err, h.Claims[0])
	}
}
