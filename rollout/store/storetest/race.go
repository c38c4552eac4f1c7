package storetest

import (
	"errors"
	"fmt"
	"testing"

	"sluice/rollout"
)

// races is how often each race is run: on a document each, all at once.
const races = 64

// race runs both through different handles at the same time, on many documents
// that were prepared one after the other, and then lets judge look.
func race(t *testing.T, w *world, prepare func(docID string), contend [2]func(s Store, docID string) error, judge func(docID string, errs [2]error) error) {
	t.Helper()
	stores := w.each()
	ids := make([]string, races)
	for i := range ids {
		ids[i] = fmt.Sprintf("doc-%d", i)
		prepare(ids[i])
	}
	errs := make([][2]error, races)
	together(t, 2*races, func(i int) error {
		errs[i/2][i%2] = contend[i%2](stores[i%handles], ids[i/2])
		return nil
	})
	for i, id := range ids {
		if err := judge(id, errs[i]); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// refused leaves a claim on Temporal whose one attempt came to nothing.
func (w *world) refused(docID string) {
	grant := w.take(docID, ask("g1", "a"))
	w.update(docID, func(h *rollout.Holding, _ rollout.Instant) error {
		return h.Attempted(ask("g1", "a").Intent, grant.Life, rollout.VerdictNothing)
	})
}

// move gives the document to legacy.
func move(t *testing.T, owner string) func(Store, string) error {
	return func(s Store, docID string) error {
		return s.Update(t.Context(), docID, func(h *rollout.Holding, at rollout.Instant) error {
			return h.Move(ask(owner, "a").Intent, h.Claims[0].Life, owner, at)
		})
	}
}

// startOrMove: either the retry is granted another start, or the document moves
// and the retry goes to legacy. Both would be a double.
func startOrMove(t *testing.T, w *world) {
	again := func(s Store, docID string) error {
		grant, err := take(t.Context(), s, docID, ask("g2", "a"))
		switch {
		case err != nil:
			return err
		case grant.Step == rollout.StepStart:
			return nil
		case grant.Step == rollout.StepSend:
			return rollout.ErrMoved
		}
		return fmt.Errorf("granted step %d", grant.Step)
	}
	race(t, w, w.refused, [2]func(Store, string) error{again, move(t, "g1")}, func(docID string, errs [2]error) error {
		c := w.get(docID).Claims[0]
		switch {
		case errs[0] == nil && errors.Is(errs[1], rollout.ErrNotFenced) && c.Path == rollout.Temporal && c.Unsettled == 1 && len(c.Sends) == 0:
		case errors.Is(errs[0], rollout.ErrMoved) && errs[1] == nil && c.Path == rollout.Legacy && c.Unsettled == 0 && len(c.Sends) == 2:
		default:
			return fmt.Errorf("start: %v, move: %v, claim: %+v", errs[0], errs[1], c)
		}
		return nil
	})
}

// oneMove: of two gateways that move the document, one sends.
func oneMove(t *testing.T, w *world) {
	race(t, w, w.refused, [2]func(Store, string) error{move(t, "g1"), move(t, "g2")}, func(docID string, errs [2]error) error {
		h := w.get(docID)
		won := errs[0] == nil
		loser, owner := errs[1], "g1"
		if !won {
			loser, owner = errs[0], "g2"
		}
		sends := h.Claims[0].Sends
		if won == (errs[1] == nil) || !errors.Is(loser, rollout.ErrMoved) || len(sends) != 1 || sends[0].Owner != owner || sends[0].Count != 1 || h.Version != 3 {
			return fmt.Errorf("moves: %v, holding: %+v", errs, *h)
		}
		return nil
	})
}

// endOrMove: the move succeeds only if the attempt was proved to be nothing
// before it, and never if Temporal turns out to have it.
func endOrMove(t *testing.T, w *world) {
	for _, verdict := range []rollout.Verdict{rollout.VerdictNothing, rollout.VerdictAccepted} {
		prefix := fmt.Sprintf("%d/", verdict)
		attempted := func(s Store, docID string) error {
			return s.Update(t.Context(), prefix+docID, func(h *rollout.Holding, _ rollout.Instant) error {
				return h.Attempted(ask("g1", "a").Intent, h.Claims[0].Life, verdict)
			})
		}
		moved := func(s Store, docID string) error { return move(t, "g2")(s, prefix+docID) }
		prepare := func(docID string) { w.take(prefix+docID, ask("g1", "a")) }
		race(t, w, prepare, [2]func(Store, string) error{attempted, moved}, func(docID string, errs [2]error) error {
			c := w.get(prefix + docID).Claims[0]
			fenced := errs[0] == nil && errors.Is(errs[1], rollout.ErrNotFenced) && c.Path == rollout.Temporal
			first := errs[0] == nil && errs[1] == nil && c.Path == rollout.Legacy && verdict == rollout.VerdictNothing
			if !fenced && !first {
				return fmt.Errorf("attempt: %v, move: %v, claim: %+v", errs[0], errs[1], c)
			}
			return nil
		})
	}
}
