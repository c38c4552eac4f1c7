package rollout_test

import (
	"errors"
	"testing"

	"sluice/rollout"
)

// unkeyed is a request without a key whose bytes are the version.
func unkeyed(version byte) rollout.Ask {
	ask := wish(string(rollout.DigestIntent([16]byte{version})))
	ask.Digest = [16]byte{version}
	return ask
}

// ended claims the document and lets the path end well.
func ended(t *testing.T, h *rollout.Holding, ask rollout.Ask, at rollout.Instant) rollout.Grant {
	t.Helper()
	g, err := h.Take(ask, at)
	if err != nil {
		t.Fatal(err)
	}
	switch g.Step {
	case rollout.StepStart:
		err = h.Ended(g.Intent, g.Life, rollout.ClaimDone, at)
	case rollout.StepSend:
		err = h.Sent(g.Intent, "g", true, at)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A version that another replaced is a new wish when it comes again: decided afresh, in
// a life of its own that is later than all others.
func TestAReplacedVersionIsANewWish(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	first := ended(t, h, unkeyed('A'), instant(rollout.All))
	second := ended(t, h, unkeyed('B'), instant(rollout.All))
	if g := ended(t, h, unkeyed('B'), instant(rollout.All)); g.Step != rollout.StepReplay {
		t.Errorf("a repeat of the last version: %+v", g)
	}
	third := ended(t, h, unkeyed('A'), instant(rollout.All))
	if third.Step != rollout.StepStart || third.Life <= first.Life || third.Life < second.Life || third.Reason != rollout.ReasonSplit {
		t.Errorf("%+v after %+v and %+v", third, first, second)
	}
	if g := ended(t, h, unkeyed('A'), instant(rollout.All)); g.Step != rollout.StepReplay || g.Life != third.Life {
		t.Errorf("its repeat: %+v", g)
	}
	if g := ended(t, h, unkeyed('B'), instant(rollout.None)); g.Path != rollout.Legacy || g.Step != rollout.StepSend {
		t.Errorf("after a rollback: %+v", g)
	}
	if g := ended(t, h, unkeyed('A'), instant(rollout.All)); g.Path != rollout.Temporal || g.Step != rollout.StepStart {
		t.Errorf("after a version on legacy: %+v", g)
	}
}

// While the first still runs, its repeat behind another version stands in line under a
// name of its own, which its own repeats find.
func TestAReplacedVersionThatRunsStandsInLineAgain(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	at := instant(rollout.All)
	first, _ := h.Take(unkeyed('A'), at)
	second, _ := h.Take(unkeyed('B'), at)
	third, err := h.Take(unkeyed('A'), at)
	if err != nil || third.Step != rollout.StepWait || third.Intent == first.Intent || third.Predecessor.Intent != second.Intent {
		t.Fatalf("%+v, %v", third, err)
	}
	if again, err := h.Take(unkeyed('A'), at); err != nil || again.Intent != third.Intent || len(h.Claims) != 3 {
		t.Errorf("its repeat: %+v, %v, %d claims", again, err, len(h.Claims))
	}
	for _, g := range []rollout.Grant{first, second} {
		if err := h.Ended(g.Intent, g.Life, rollout.ClaimDone, at); err != nil {
			t.Fatal(err)
		}
	}
	if g, err := h.Take(unkeyed('A'), at); err != nil || g.Step != rollout.StepStart || g.Intent != third.Intent {
		t.Errorf("when its turn has come: %+v, %v", g, err)
	}
}

// What legacy has not answered for good stays there, whatever came after it: it may be
// at work still.
func TestWhatLegacyMayHaveTakenIsNoNewWish(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	g, _ := h.Take(unkeyed('A'), instant(rollout.None))
	if err := h.Sent(g.Intent, "g", false, instant(rollout.None)); err != nil {
		t.Fatal(err)
	}
	ended(t, h, unkeyed('B'), instant(rollout.None))
	if g, err := h.Take(unkeyed('A'), instant(rollout.All)); err != nil || g.Path != rollout.Legacy || g.Reason != rollout.ReasonClaim {
		t.Errorf("%+v, %v", g, err)
	}
}

// A touch waits for Temporal, is sent each time, and keeps what comes meanwhile on legacy.
func TestATouchIsLegacysInOrder(t *testing.T) {
	h := &rollout.Holding{DocID: "a"}
	at := instant(rollout.All)
	touch := rollout.Ask{Intent: rollout.TouchIntent("documents", "DELETE", "/{id}"), Route: "documents", Touch: true, Counts: true, Owner: "g"}
	first, _ := h.Take(unkeyed('A'), at)
	if _, err := h.Take(touch, at); !errors.Is(err, rollout.ErrHeld) || len(h.Claims) != 1 {
		t.Fatalf("while Temporal is at work: %v, %d claims", err, len(h.Claims))
	}
	if err := h.Ended(first.Intent, first.Life, rollout.ClaimDone, at); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if g, err := h.Take(touch, at); err != nil || g.Step != rollout.StepSend || g.Path != rollout.Legacy {
			t.Fatalf("%+v, %v", g, err)
		}
	}
	if g, err := h.Take(unkeyed('B'), at); err != nil || g.Path != rollout.Legacy || g.Reason != rollout.ReasonClaim {
		t.Errorf("a version meanwhile: %+v, %v", g, err)
	}
	if len(h.Counts) != 0 {
		t.Errorf("it counts: %+v", h.Counts)
	}
}

// Under one key legacy judges another request by itself, where it is asked each time;
// where an answer would be replayed it is refused, and where nothing ran it is taken.
func TestAKeyWithAnotherRequest(t *testing.T) {
	other := wish("k")
	other.Digest = [16]byte{2}
	once := other
	once.Once = true
	for name, row := range map[string]struct {
		exposure rollout.Exposure
		state    rollout.ClaimState
		ask      rollout.Ask
		refused  bool
	}{
		"legacy, passed":   {rollout.None, rollout.ClaimDone, other, false},
		"legacy, once":     {rollout.None, rollout.ClaimDone, once, true},
		"Temporal":         {rollout.All, rollout.ClaimDone, other, true},
		"nothing ever ran": {rollout.All, rollout.ClaimVoid, other, false},
	} {
		h := &rollout.Holding{DocID: "a"}
		at := instant(row.exposure)
		g, _ := h.Take(wish("k"), at)
		switch {
		case row.state == rollout.ClaimVoid:
			_ = h.Fenced("k", g.Life)
			_ = h.Void("k", g.Life, at)
		case g.Path == rollout.Temporal:
			_ = h.Ended("k", g.Life, row.state, at)
		default:
			_ = h.Sent("k", "g", true, at)
		}
		if _, err := h.Take(row.ask, at); errors.Is(err, rollout.ErrKeyReused) != row.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTenantsNeverShareADocument(t *testing.T) {
	seen := map[string]string{}
	for _, tenant := range []string{"", "a", "a/b", "a%2Fb", "a%2fb", "%", "/", "ü"} {
		for _, id := range []string{"x", "b/x", "/x", "2Fb/x"} {
			scope, err := rollout.TenantScope(tenant)
			if err != nil {
				t.Fatal(err)
			}
			name := (&rollout.Document{Scope: scope, DocID: id}).Identity()
			if other, twice := seen[name]; twice {
				t.Errorf("%q of %q is also %s", id, tenant, other)
			}
			seen[name] = tenant
			if err := rollout.CheckIdentity(name); err != nil {
				t.Error(err)
			}
		}
	}
}
