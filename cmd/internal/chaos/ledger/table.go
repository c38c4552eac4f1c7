package ledger

import (
	"cmp"
	"net/http"
	"slices"
)

// Table is where the accepted wishes are. Accepted is the sum of Legacy,
// Temporal, InFlight and DeadLetter, or there is a residue.
type Table struct {
	Wishes, Attempts int
	// Accepted were answered 2xx, or finally refused by a path that had them.
	Accepted int
	Legacy   int
	Temporal int
	InFlight int
	// DeadLetter are in Temporal's failed workflows; Undone of them left nothing.
	DeadLetter, Undone int
	// Residue lists the accepted wishes that are in none of these, or in two.
	Residue []int
	// Unanswered never got a final answer. Late were accepted, and ingested after
	// their clients had given up asking. HeldOff were told to the end that other
	// versions of their document are under way.
	Unanswered, Late, HeldOff int

	// OwnRepeats counts what clients sent to legacy again themselves and legacy
	// ingested again; CrashRepeats the activities that Temporal repeated.
	OwnRepeats, CrashRepeats int
	Lives, Replayed          int
	// NoAnswer and Refused (5xx) count attempts that clients had to repeat.
	NoAnswer, Refused int
}

// Table sums up. running reports whether the wish's workflow is still open.
func (l *Ledger) Table(running func(wish int) bool) Table {
	l.mu.Lock()
	defer l.mu.Unlock()
	var t Table
	repeated := l.repeats()
	for n := range l.wishes {
		w := &l.wishes[n]
		if len(w.answers) == 0 {
			continue
		}
		t.Wishes++
		t.count(w)
		if w.givenUp && w.heldOff() {
			t.HeldOff++
		}
		if !w.accepted() {
			t.Unanswered++
			continue
		}
		t.Accepted++
		if w.givenUp && w.late() {
			t.Late++
		}
		t.place(n, w, running(n), repeated[n])
	}
	return t
}

func (t *Table) count(w *wish) {
	t.Attempts += len(w.answers)
	t.Lives += len(w.runs)
	if n := w.asked(); n > 1 {
		t.OwnRepeats += n - 1
	}
	for _, run := range w.runs {
		t.CrashRepeats += run.Times - 1
	}
	for _, a := range w.answers {
		switch {
		case a.Replayed:
			t.Replayed++
		case a.Status == 0:
			t.NoAnswer++
		case a.Status >= http.StatusInternalServerError:
			t.Refused++
		}
	}
}

// place puts an accepted wish where it is, which must be one place. One whose repeats may
// have been new wishes is where the last of them is.
func (t *Table) place(n int, w *wish, running, repeated bool) {
	stands := w.stands()
	if all := w.all(n); repeated && len(all) > 0 {
		t.placeLast(w, all)
		return
	}
	dead := len(stands) == 1 && stands[0].Fate == Dead
	places := 0
	put := func(is bool, where *int) {
		if is {
			places++
			*where++
		}
	}
	put(w.effects() > 0, &t.Legacy)
	put(running, &t.InFlight)
	put(!running && len(stands) > 0 && !dead, &t.Temporal)
	undone := !running && len(stands) == 0 && len(w.runs) > 0 && w.effects() == 0
	put(!running && dead || undone, &t.DeadLetter)
	if undone {
		t.Undone++
	}
	if places != 1 {
		t.Residue = append(t.Residue, n)
	}
}

// placeLast puts a wish where its last effect is.
func (t *Table) placeLast(w *wish, all []effect) {
	last := slices.MaxFunc(all, func(a, b effect) int { return cmp.Compare(a.at, b.at) })
	i := slices.IndexFunc(w.runs, func(run *Run) bool { return !run.Undone && run.At == last.at })
	switch {
	case i < 0:
		t.Legacy++
	case w.runs[i].Fate == Dead:
		t.DeadLetter++
	default:
		t.Temporal++
	}
}

// accepted reports whether a client was told that a path has the document.
func (w *wish) accepted() bool {
	for _, a := range w.answers {
		if a.Status >= 200 && a.Status < 300 || a.Status == DeadStatus {
			return true
		}
	}
	return false
}

// late reports whether Temporal took the wish, said so, and ran it: behind other
// versions of its document that may be long after its client went.
func (w *wish) late() bool { return w.accepted() && len(w.runs) > 0 }

// heldAnswers is how many of the last answers must say so.
const heldAnswers = 20

// heldOff reports whether the wish waited to the end for its document, which was
// never at rest on the other path, or had as many versions under way as it may. It
// runs nowhere meanwhile, and its client knows.
func (w *wish) heldOff() bool {
	held := 0
	for _, a := range slices.Backward(w.answers) {
		waits := a.Problem == "urn:sluice:problem:held" || a.Problem == "urn:sluice:problem:busy"
		if held == heldAnswers || a.Status != 0 && !waits {
			break
		}
		if a.Status != 0 {
			held++
		}
	}
	return held == heldAnswers
}

// DeadStatus is what the gateway answers for a dead letter.
const DeadStatus = http.StatusFailedDependency

// Recalls is the number of the first attempt that is made after all is over.
const Recalls = 10_000

// asked counts what legacy ingested before all was over.
func (w *wish) asked() (n int) {
	for _, a := range w.arrivals {
		if a.Effect && a.Attempt < Recalls {
			n++
		}
	}
	return n
}
