package temporalpath

import (
	"testing"
	"time"
)

// Workers that are too busy to answer take nothing back for a while; those that say
// no do at once.
func TestDeclarationHoldsWhileNobodyAnswers(t *testing.T) {
	w := NewShadowWatch(nil)
	start := time.Unix(1000, 0)
	unheard := unsupported("none answered")
	unheard.Unheard = true
	for _, step := range []struct {
		answer Support
		at     time.Duration
		ready  bool
	}{
		{unheard, 0, false},
		{Support{OK: true}, time.Second, true},
		{unheard, time.Minute, true},
		{unheard, 3 * time.Minute, false},
		{unheard, 4 * time.Minute, false},
		{Support{OK: true}, 5 * time.Minute, true},
		{unsupported("no"), 5*time.Minute + time.Second, false},
		{unheard, 5*time.Minute + 2*time.Second, false},
	} {
		w.learn("r", step.answer, start.Add(step.at))
		if ready, why := w.ShadowReady("r"); ready != step.ready {
			t.Errorf("after %v: ready %v, %s", step.at, ready, why)
		}
	}
}

// What was said before shadow runs were wanted does not count: workers come and go.
func TestWorkersAreAskedAnewOnceWanted(t *testing.T) {
	w := NewShadowWatch(nil)
	say := func() {
		w.learn("yes", Support{OK: true}, time.Now())
		w.learn("no", unsupported("no worker polls"), time.Now())
	}
	asked := func(want bool) {
		t.Helper()
		if w.Asked("yes") != want || w.Asked("no") != want || w.Asked("another") {
			t.Errorf("yes asked %v, no asked %v", w.Asked("yes"), w.Asked("no"))
		}
	}
	say()
	asked(false)
	w.want()
	asked(false)
	if ready, _ := w.ShadowReady("yes"); ready {
		t.Error("an old yes counts")
	}
	say()
	asked(true)
	w.forget()
	asked(false)
}
