package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// repeats finds the wishes of which a repeat may have been a new one: a client posted
// the same bytes once more, without a key, and another wish for the document was under
// way since the attempt before.
func (l *Ledger) repeats() map[int]bool {
	of := map[string][]int{} // the wishes for each document
	for n := range l.wishes {
		if w := &l.wishes[n]; len(w.answers) > 0 {
			of[w.doc] = append(of[w.doc], n)
		}
	}
	found := map[int]bool{}
	for _, all := range of {
		for _, n := range all {
			found[n] = l.wishes[n].unkeyed && slices.ContainsFunc(all, func(other int) bool {
				return other != n && l.wishes[n].surrounds(&l.wishes[other])
			})
		}
	}
	return found
}

// surrounds reports whether the other was under way between two attempts at the wish.
func (w *wish) surrounds(other *wish) bool {
	for i := 1; i < len(w.answers); i++ {
		from, to := w.answers[i-1].Sent, w.answers[i].At
		for _, a := range other.answers {
			if a.Sent <= to && a.At >= from {
				return true
			}
		}
	}
	return false
}

// effect is something that a document held from then on.
type effect struct {
	at   time.Duration
	wish int
	// unseen: the client was not told of it, so it may have come later than what the
	// client did next.
	unseen bool
}

// checkEdits finds documents that do not hold what was written last.
func (l *Ledger) checkEdits(broken func(n int, detail string)) {
	for doc, n := range l.edited {
		if l.wishes[n].givenUp || len(l.wishes[n].answers) == 0 {
			continue // its client does not know either
		}
		var all []effect
		for other := range l.wishes {
			if w := &l.wishes[other]; w.doc == doc {
				all = append(all, w.all(other)...)
			}
		}
		if len(all) == 0 {
			broken(n, "nothing was ever stored")
			continue
		}
		last := slices.MaxFunc(all, func(a, b effect) int { return cmp.Compare(a.at, b.at) })
		if last.wish != n && !last.unseen {
			broken(n, fmt.Sprintf("document %q holds wish %d since %.3f s", doc, last.wish, last.at.Seconds()))
		}
	}
}

// all lists what came of the wish, on either path.
func (w *wish) all(n int) (all []effect) {
	for _, a := range w.arrivals {
		if a.Effect {
			told := slices.ContainsFunc(w.answers, func(b Answer) bool { return b.Attempt == a.Attempt && b.Status >= 200 && b.Status < 500 })
			all = append(all, effect{at: a.End, wish: n, unseen: !told})
		}
	}
	for _, run := range w.stands() {
		all = append(all, effect{at: run.At, wish: n})
	}
	return all
}
