package ledger_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/cmd/internal/chaos/ledger"
)

// what lets one wish live a little.
type what struct {
	*ledger.Ledger
}

func (w what) answered(attempt, status int, path string, life uint64) {
	w.Answered(0, ledger.Answer{Attempt: attempt, Status: status, Path: path, Life: life})
}

func (w what) legacy(attempt int, effect bool) { w.Arrived(0, attempt)(effect, false, "") }

func (w what) temporal(life uint64, run string, fate ledger.Fate) {
	w.Ran(0, ledger.Run{Life: life, ID: run, Fate: fate})()
}

// The harness is worth what its ledger sees.
func TestCheckFindsEveryKind(t *testing.T) {
	for kind, live := range map[string]func(what){
		ledger.BothPaths:     func(w what) { w.legacy(0, true); w.temporal(1, "a", ledger.Done) },
		ledger.TwiceTemporal: func(w what) { w.temporal(1, "a", ledger.Done); w.temporal(2, "b", ledger.Done) },
		ledger.Repeated:      func(w what) { w.legacy(3, false); w.legacy(3, true) },
		ledger.Lost:          func(w what) { w.legacy(0, true); w.answered(1, 200, "legacy", 0) },
		ledger.Lie:           func(w what) { w.Answered(0, ledger.Answer{Status: 200, Lie: "it is of another wish"}) },
		ledger.OtherAnswer: func(w what) {
			w.temporal(1, "a", ledger.Done)
			w.temporal(2, "b", ledger.Done)
			w.answered(0, 200, "temporal", 1)
			w.answered(1, 200, "temporal", 2)
		},
		ledger.OutOfTurn: func(w what) {
			ended := w.Ran(0, ledger.Run{Life: 1, ID: "a"})
			w.Undone(0, "a")
			w.temporal(2, "b", ledger.Done)
			ended()
		},
		ledger.Stuck: func(w what) { w.answered(0, 202, "temporal", 1); w.GaveUp(0, true) },
	} {
		l := ledger.New(1)
		l.Wished(0, "doc", false)
		live(what{l})
		found := map[string]bool{}
		for _, v := range l.Check() {
			found[v.Kind] = true
		}
		if !found[kind] {
			t.Errorf("%q was not found, but %v", kind, slices.Collect(maps.Keys(found)))
		}
		if kind != ledger.Lie && kind != ledger.Stuck && !strings.Contains(l.Timeline(0, nil), "wish 0") {
			t.Errorf("%q has no timeline", kind)
		}
	}
}

// What is allowed must pass: a client's own repeats on legacy, a life that left
// nothing and its successor, an activity that Temporal repeats, a dead letter.
func TestCheckAllowsWhatIsAllowed(t *testing.T) {
	for name, live := range map[string]func(what){
		"own repeats": func(w what) { w.legacy(0, true); w.legacy(1, true); w.answered(1, 200, "legacy", 0) },
		"fallback": func(w what) {
			w.temporal(1, "a", ledger.Undo)
			w.Undone(0, "a")
			w.legacy(0, true)
			w.answered(0, 200, "legacy", 0)
		},
		"next life": func(w what) {
			w.temporal(1, "a", ledger.Undo)
			w.Undone(0, "a")
			w.temporal(2, "b", ledger.Done)
			w.answered(1, 200, "temporal", 2)
		},
		"repeated by it": func(w what) {
			w.temporal(1, "a", ledger.Done)
			w.temporal(1, "a", ledger.Done)
			w.answered(0, 200, "temporal", 1)
		},
		"accepted":    func(w what) { w.answered(0, 202, "temporal", 0); w.temporal(1, "a", ledger.Undo); w.Undone(0, "a") },
		"dead letter": func(w what) { w.temporal(1, "a", ledger.Dead); w.answered(0, ledger.DeadStatus, "temporal", 0) },
	} {
		l := ledger.New(1)
		l.Wished(0, "doc", false)
		live(what{l})
		if found := l.Check(); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
		table := l.Table(func(int) bool { return false })
		if table.Accepted != 1 || table.Legacy+table.Temporal+table.DeadLetter != 1 || len(table.Residue) > 0 {
			t.Errorf("%s: %+v", name, table)
		}
	}
}

// A client that is told to the end that its document is under way is no violation; one
// that got no answer, or another, is.
func TestHeldOffIsToldApart(t *testing.T) {
	for problem, held := range map[string]bool{"held": true, "busy": true, "temporal-ambiguous": false, "": false} {
		l := ledger.New(1)
		l.Wished(0, "doc", false)
		for n := range 40 {
			status := 503 * (n % 2) // every other is lost on its way
			if problem == "" {
				status = 0
			}
			l.Answered(0, ledger.Answer{Attempt: n, Status: status, Problem: "urn:sluice:problem:" + problem})
		}
		l.GaveUp(0, true)
		stuck := len(l.Check()) > 0
		if table := l.Table(func(int) bool { return false }); stuck == held || (table.HeldOff == 1) != held || table.Unanswered != 1 {
			t.Errorf("%q: stuck %v, %+v", problem, stuck, table)
		}
	}
}

// An accepted wish that is nowhere is in the residue.
func TestTableNamesTheResidue(t *testing.T) {
	l := ledger.New(2)
	l.Answered(1, ledger.Answer{Status: 202, Path: "temporal"})
	if table := l.Table(func(int) bool { return false }); len(table.Residue) != 1 || table.Residue[0] != 1 {
		t.Errorf("%+v", table)
	}
	if table := l.Table(func(int) bool { return true }); table.InFlight != 1 || len(table.Residue) > 0 {
		t.Errorf("in flight: %+v", table)
	}
}

// edits lets a client post version A, B and A again, of which the last is a new wish.
// third is what the gateway makes of it.
func edits(third func(l *ledger.Ledger)) []ledger.Violation {
	l := ledger.New(2)
	for attempt, n := range []int{0, 1, 0} {
		l.Wished(n, "doc", true)
		l.Edited("doc", n)
		if attempt < 2 {
			l.Ran(n, ledger.Run{Life: uint64(attempt + 1), ID: string(rune('a' + attempt))})()
			l.Answered(n, ledger.Answer{Attempt: attempt, Sent: l.Since(time.Now()), Status: 200, Path: "temporal", Life: uint64(attempt + 1)})
		}
	}
	third(l)
	return l.Check()
}

// A replay of what another version has replaced is a lost update; a run of its own is
// none, nor is it a double.
func TestALostUpdateIsFound(t *testing.T) {
	found := edits(func(l *ledger.Ledger) {
		l.Answered(0, ledger.Answer{Attempt: 2, Sent: l.Since(time.Now()), Status: 200, Path: "temporal", Life: 1, Replayed: true})
	})
	if len(found) != 1 || found[0].Kind != ledger.LostUpdate {
		t.Errorf("a replay: %v", found)
	}
	found = edits(func(l *ledger.Ledger) {
		l.Ran(0, ledger.Run{Life: 3, ID: "c"})()
		l.Answered(0, ledger.Answer{Attempt: 2, Sent: l.Since(time.Now()), Status: 200, Path: "temporal", Life: 3})
	})
	if len(found) > 0 {
		t.Errorf("a run of its own: %v", found)
	}
}
