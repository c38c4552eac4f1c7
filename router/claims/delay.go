package claims

import (
	"context"
	"errors"
	"time"

	"sluice/rollout"
)

const (
	// transit is longer than a start takes to Temporal, or is lost.
	transit = time.Minute
	// patience is how long after a delayed start the runs before it may begin, so
	// that a start that was lost can be repeated.
	patience = 10 * time.Minute
)

// Delay registers one attempt to start the life with the delay it returns, for the
// case that the request does not wait for its predecessor any more. The ticket is
// then one for a start. It fails with ErrStore; or with rollout.ErrFirst,
// rollout.ErrClaimGone or rollout.ErrMoved, and then the claim has to be taken
// again.
func (t *Ticket) Delay(ctx context.Context) (time.Duration, error) {
	var delay time.Duration
	limit := func(route string) time.Duration { return t.book.config.Limit(route) + transit + patience }
	err := t.change(ctx, func(h *rollout.Holding, at rollout.Instant) (err error) {
		delay, err = h.Delay(t.Intent, t.Life, t.book.config.Owner, limit, at)
		return err
	})
	switch {
	case errors.Is(err, ErrStore):
		t.Suspect()
		return 0, err
	case err != nil:
		return 0, err
	}
	t.Step = rollout.StepStart
	return delay, nil
}

// held reports whether the claim waits, on Temporal, for another.
func held(h *rollout.Holding, c *rollout.Claim) bool {
	return c.Accepted && c.Delayed && !h.Releasable(c.Intent, c.Life)
}

// attend sees to it that the resolver looks soon at what others wait for: a start
// that may be released, or a run that somebody is behind. A run that is just being
// started is left to its request: the resolver would fence it off.
func (b *Book) attend(h *rollout.Holding) {
	front, awaited := h.Front()
	switch {
	case front == nil || !front.Accepted:
	case h.Releasable(front.Intent, front.Life):
		b.suspects.hurry(suspectOf(h, front), 0)
	case awaited:
		b.suspects.hurry(suspectOf(h, front), awaitedPause)
	}
}

func suspectOf(h *rollout.Holding, c *rollout.Claim) suspect {
	return suspect{docID: h.DocID, intent: c.Intent, life: c.Life}
}

// release lets the life begin on Temporal, which has its run, if nothing is before
// it on record.
func (t *Ticket) release(ctx context.Context) error {
	if outdated := t.book.config.Outdated; outdated != nil && outdated() {
		return nil // what is before it may be missing
	}
	h, err := t.book.Get(ctx, t.DocID)
	if err != nil || !h.Releasable(t.Intent, t.Life) {
		return err
	}
	if err := t.book.config.Gate.Release(ctx, t.WorkflowID()); err != nil {
		return err
	}
	err = t.change(ctx, func(h *rollout.Holding, _ rollout.Instant) error {
		return h.Released(t.Intent, t.Life)
	})
	if errors.Is(err, rollout.ErrClaimGone) {
		return nil // it has ended meanwhile
	}
	if err == nil { // it may end at once, and others are behind it
		t.book.suspects.hurry(suspect{docID: t.DocID, intent: t.Intent, life: t.Life}, firstPause)
	}
	return err
}
