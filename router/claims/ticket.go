package claims

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/rollout"
)

// Ticket is one request's hold on a claim.
type Ticket struct {
	book  *Book
	route string
	// DocID is the document's identity, tenant and doc_id.
	DocID string
	// Intent is the claim's, once it is granted.
	Intent rollout.Intent
	rollout.Grant

	asked  time.Time // before the claim was taken, with the wall clock alone
	errand uint64    // its number in Away, if it has no claim
}

// Stale reports whether the grant is older than limit. The wall clock tells,
// because the monotonic one stands still while the machine sleeps.
func (t *Ticket) Stale(limit time.Duration) bool {
	age := time.Now().Round(0).Sub(t.asked)
	return age > limit || age < -limit
}

// Limit returns how long the request may be at work in legacy at the longest; false for
// as long as its client waits. What has no claim is given up then, because nobody else
// will know of it for longer.
func (t *Ticket) Limit() (time.Duration, bool) {
	if t.errand == 0 {
		return 0, false
	}
	return t.book.config.Away.config.LegacyTimeout, true
}

// Take claims the document for the intent, or lets it pass to legacy without a claim
// if the store is away and Away allows it. It fails with rollout.ErrKeyReused,
// rollout.ErrHeld, rollout.ErrLate, rollout.ErrBusy, rollout.ErrUnderWay or ErrStore.
func (b *Book) Take(ctx context.Context, docID string, ask rollout.Ask) (*Ticket, error) {
	ask.Owner, ask.Limit = b.config.Owner, b.config.Limit(ask.Route)+transit
	t := &Ticket{book: b, route: ask.Route, DocID: docID, Intent: ask.Intent, asked: time.Now().Round(0)}
	opened := false
	b.sends.begin(t) // before the record says so, and for the case that it will
	err := b.update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) (err error) {
		before := h.Open()
		t.Grant, err = h.Take(ask, at)
		opened = h.Open() > before
		if err == nil && t.Intent != t.Grant.Intent {
			b.sends.rename(t, t.Grant.Intent)
		}
		return err
	})
	if err != nil || t.Step != rollout.StepSend {
		b.sends.end(t)
	}
	if unsure(err) {
		b.suspects.add(suspect{docID: docID, intent: t.Intent, unsure: true})
	}
	if errors.Is(err, ErrStore) && b.config.Away != nil && b.config.Away.pass(t, &ask, err) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if opened {
		b.config.Observer.ClaimTaken(ask.Route)
	}
	return t, nil
}

// unsure reports whether what failed with err may have been stored.
func unsure(err error) bool {
	return errors.Is(err, ErrStore) && (!errors.Is(err, rollout.ErrStoreAway) || errors.Is(err, rollout.ErrOutcomeUnknown))
}

// change is update for the ticket's document.
func (t *Ticket) change(ctx context.Context, change func(*rollout.Holding, rollout.Instant) error) error {
	return t.book.update(ctx, t.DocID, change)
}

// settled tells the observer of the claim if the change settled it.
func (t *Ticket) settled(ctx context.Context, change func(*rollout.Holding, rollout.Instant) error) error {
	var settled rollout.Claim
	err := t.change(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		settled = rollout.Claim{}
		if err := change(h, at); err != nil {
			return err
		}
		if c := h.Find(t.Intent); c != nil && !c.Open() {
			settled = *c
		}
		return nil
	})
	if err == nil && settled.Intent != "" {
		t.book.config.Observer.ClaimSettled(settled.Route, settled.Path, settled.State)
	}
	return err
}

// Ran notes how the one attempt that was granted ended, and what became of the
// run if there is one. What stays open afterwards is the resolver's.
//
// If Temporal provably did not take the document, and no start of it is
// unsettled, the document is moved to legacy: moved is true, and this request is
// the one to send it. moved is never true together with an error.
//
// It fails with ErrStore; and after a failed attempt with rollout.ErrClaimGone or
// rollout.ErrMoved, if others have settled or moved the claim meanwhile.
func (t *Ticket) Ran(ctx context.Context, run rollout.Run, failed error) (moved bool, err error) {
	switch {
	case failed == nil && run.State != rollout.RunRunning:
		err = t.Ended(ctx, run)
	case failed == nil:
		err = t.change(ctx, func(h *rollout.Holding, _ rollout.Instant) error {
			return h.Attempted(t.Intent, t.Life, rollout.VerdictAccepted)
		})
	case errors.Is(failed, rollout.ErrNotAccepted):
		moved, err = t.fallBack(ctx)
	}
	if !moved && (failed != nil || run.State == rollout.RunRunning || err != nil) {
		t.Suspect()
	}
	if failed == nil && errors.Is(err, rollout.ErrClaimGone) {
		err = nil // noted before, by the resolver or another request
	}
	return moved, err
}

// fallBack takes the attempt off the record, and moves the document if that was
// the last.
func (t *Ticket) fallBack(ctx context.Context) (moved bool, err error) {
	t.book.sends.begin(t)
	err = t.change(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		if err := h.Attempted(t.Intent, t.Life, rollout.VerdictNothing); err != nil {
			return err
		}
		if outdated := t.book.config.Outdated; outdated != nil && outdated() {
			return nil
		}
		err := h.Move(t.Intent, t.Life, t.book.config.Owner, at)
		moved = err == nil
		if errors.Is(err, rollout.ErrNotFenced) {
			return nil // the verdict is stored all the same
		}
		if moved {
			h.FellBack(t.book.config.Thresholds(), at)
		}
		return err
	})
	if err != nil || !moved {
		t.book.sends.end(t)
	}
	if errors.Is(err, ErrStore) {
		t.book.suspects.add(suspect{docID: t.DocID, intent: t.Intent, unsure: true})
	}
	if err != nil {
		return false, err
	}
	if moved {
		t.Path, t.Step, t.Reason = rollout.Legacy, rollout.StepSend, rollout.ReasonFallback
		t.book.config.Observer.ClaimMoved(t.route)
	}
	return moved, nil
}

// Ended notes how the life ended on Temporal.
func (t *Ticket) Ended(ctx context.Context, run rollout.Run) error {
	state := t.book.stateOf(t.route, run)
	err := t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Finish(t.Intent, t.Life, &run, state, t.book.config.Thresholds(), at)
	})
	if errors.Is(err, rollout.ErrClaimGone) {
		return nil // it was noted before
	}
	return err
}

// stateOf says what the end of a run means for its life. A workflow that Temporal
// ended from outside has undone nothing. One that answers as legacy does when it wants
// the request again gets it again, as legacy would.
func (b *Book) stateOf(route string, run rollout.Run) rollout.ClaimState {
	switch {
	case run.State == rollout.RunCompleted && rollout.InvitesRepeat(run.Answer.Status):
		return rollout.ClaimFailed
	case run.State != rollout.RunFailed, run.Failure.Type == rollout.FailureBadResult:
		return rollout.ClaimDone
	case run.Failure.Type == rollout.FailureTimeout, run.Failure.Type == rollout.FailureTerminated,
		slices.Contains(b.config.DeadLetters[route], run.Failure.Type):
		return rollout.ClaimDead
	}
	return rollout.ClaimFailed
}

// Sent notes that the granted request to legacy ended, and how. answered: legacy's
// answer came, or legacy provably got nothing.
func (t *Ticket) Sent(ctx context.Context, answered bool, end rollout.Ending) error {
	return t.sent(ctx, answered, end, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Sent(t.Intent, t.book.config.Owner, answered, at)
	})
}

// Declined is Sent for an intent that goes to legacy once: legacy got nothing, or
// its answer invites a repeat.
func (t *Ticket) Declined(ctx context.Context, end rollout.Ending) error {
	return t.sent(ctx, true, end, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Declined(t.Intent, t.book.config.Owner, at)
	})
}

func (t *Ticket) sent(ctx context.Context, answered bool, end rollout.Ending, change func(*rollout.Holding, rollout.Instant) error) error {
	if t.errand != 0 {
		return t.book.config.Away.end(t.errand, answered)
	}
	counts := false
	end.Thresholds = t.book.config.Thresholds()
	err := t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		if err := change(h, at); err != nil {
			return err
		}
		h.Judge(t.Intent, end, at)
		counts = h.Find(t.Intent).Trial.Counts
		return nil
	})
	if err == nil && counts && end.Took > 0 {
		t.book.config.Observer.LegacyTook(end.Took)
	}
	t.book.sends.end(t)
	if errors.Is(err, ErrStore) {
		t.book.suspects.add(suspect{docID: t.DocID, intent: t.Intent, unsure: true})
	}
	return err
}

// Withdraw is Abandon for a document whose client may not bring it.
func (t *Ticket) Withdraw(ctx context.Context) error {
	return t.abandon(ctx, rollout.Ending{Fate: rollout.FateWithdrawn})
}

// Abandon gives up a life for which nothing was sent.
func (t *Ticket) Abandon(ctx context.Context) error { return t.abandon(ctx, rollout.Ending{}) }

func (t *Ticket) abandon(ctx context.Context, end rollout.Ending) error {
	err := t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		if t.Step == rollout.StepStart {
			if err := h.Attempted(t.Intent, t.Life, rollout.VerdictNothing); err != nil {
				return err
			}
		}
		err := h.Void(t.Intent, t.Life, at)
		if err == nil {
			h.Judge(t.Intent, end, at)
		}
		if errors.Is(err, rollout.ErrNotFenced) {
			return nil // others are at it; the verdict is stored all the same
		}
		return err
	})
	if errors.Is(err, rollout.ErrClaimGone) || errors.Is(err, rollout.ErrMoved) {
		return nil // others have it in hand
	}
	return err
}

// Suspect hands the life to the resolver.
func (t *Ticket) Suspect() {
	t.book.suspects.add(suspect{docID: t.DocID, intent: t.Intent, life: t.Life})
}

// WorkflowID returns the ID of the life's workflow.
func (t *Ticket) WorkflowID() string { return t.book.WorkflowID(t.DocID, t.Intent, t.Life) }
