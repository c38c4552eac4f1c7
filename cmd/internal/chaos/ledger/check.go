package ledger

import (
	"fmt"
	"net/http"
	"slices"
)

// Violation is a promise that was broken.
type Violation struct {
	Kind   string
	Wish   int
	Detail string
}

// The kinds of violations.
const (
	BothPaths     = "on both paths"
	TwiceTemporal = "twice on Temporal"
	Repeated      = "repeated by the gateway on legacy"
	Lost          = "acknowledged and lost"
	Lie           = "an answer that contradicts itself"
	OtherAnswer   = "a retry was answered otherwise"
	OutOfTurn     = "two runs of a document at one time"
	LostUpdate    = "another version than the last is stored"
	Stuck         = "never answered"
)

// Kinds lists them all.
func Kinds() []string {
	return []string{BothPaths, TwiceTemporal, Repeated, Lost, Lie, OtherAnswer, OutOfTurn, LostUpdate, Stuck}
}

// Check lists what the ledger proves to be broken.
func (l *Ledger) Check() []Violation {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []Violation
	repeated := l.repeats()
	for n := range l.wishes {
		w := &l.wishes[n]
		broken := func(kind, format string, args ...any) {
			found = append(found, Violation{Kind: kind, Wish: n, Detail: fmt.Sprintf(format, args...)})
		}
		w.checkEffects(repeated[n], broken)
		w.checkAnswers(repeated[n], broken)
		if clash := l.clash[n]; clash != "" {
			broken(OutOfTurn, "%s", clash)
		}
	}
	l.checkEdits(func(n int, detail string) {
		found = append(found, Violation{Kind: LostUpdate, Wish: n, Detail: detail})
	})
	return found
}

type complaint func(kind, format string, args ...any)

// checkEffects looks at what happened, whatever clients were told. repeated: a repeat
// may have been a new wish, with an effect of its own.
func (w *wish) checkEffects(repeated bool, broken complaint) {
	effects, stands := w.effects(), w.stands()
	if effects > 0 && len(stands) > 0 && !repeated {
		broken(BothPaths, "%d times on legacy, and on Temporal in life %d", effects, stands[0].Life)
	}
	if len(stands) > 1 && !repeated {
		broken(TwiceTemporal, "%d runs, lives %d and %d", len(stands), stands[0].Life, stands[1].Life)
	}
	seen := map[int]bool{}
	for _, a := range w.arrivals {
		if seen[a.Attempt] {
			broken(Repeated, "attempt %d arrived more than once", a.Attempt)
		}
		seen[a.Attempt] = true
	}
	if w.givenUp && !w.late() && !w.heldOff() {
		broken(Stuck, "the client had no final answer after %d attempts", len(w.answers))
	}
}

// checkAnswers compares what clients were told with what happened.
func (w *wish) checkAnswers(repeated bool, broken complaint) {
	var life uint64
	for _, a := range w.answers {
		if a.Lie != "" {
			broken(Lie, "attempt %d: %s", a.Attempt, a.Lie)
			continue
		}
		if a.Status < 200 || a.Status > 299 {
			continue
		}
		switch {
		case a.Path == "legacy":
			if !w.onLegacy(a.Attempt) {
				broken(Lost, "attempt %d was answered %d by legacy, which has no effect of it", a.Attempt, a.Status)
			}
		case a.Status == http.StatusAccepted:
			if len(w.runs) == 0 {
				broken(Lost, "attempt %d was answered 202, and no workflow ever ran", a.Attempt)
			}
		default:
			if !slices.ContainsFunc(w.stands(), func(r *Run) bool { return r.Life == a.Life }) {
				broken(Lost, "attempt %d was answered %d by life %d, whose effect is not there", a.Attempt, a.Status, a.Life)
			}
			if life != 0 && life != a.Life && !repeated {
				broken(OtherAnswer, "life %d and then life %d", life, a.Life)
			}
			life = a.Life
		}
	}
}

func (w *wish) onLegacy(attempt int) bool {
	return slices.ContainsFunc(w.arrivals, func(a Arrival) bool { return a.Attempt == attempt && a.Effect })
}
