package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/rollout"
	"sluice/router/claims"
)

// retakes bounds how often one request takes its claim again, because others
// settled or moved it meanwhile.
const retakes = 4

// claimed serves the document under its claim: nothing leaves the gateway before
// the claim is on record.
func (v *visit) claimed() {
	defer v.observe()
	ctx := context.WithoutCancel(v.r.Context())
	ask := v.ask()
	v.preference = prefer(v.fields, v.rt.config.Wait, v.rt.config.MaxWait)
	v.deadline = time.Now().Add(v.preference.wait)
	allowed := ask.Temporal
	if allowed && !v.authorised() {
		return
	}
	var held *claims.Ticket // of the turn before
	for range retakes {
		ticket, err := v.rt.config.Claims.Take(ctx, v.doc.Identity(), ask)
		if err != nil {
			if held != nil {
				held.Suspect() // nobody is at work on its claim any more
			}
			v.notClaimed(ctx, err)
			return
		}
		held = ticket
		v.granted(ticket)
		ask.Intent, ask.Granted = ticket.Intent, true
		if ticket.Path == rollout.Temporal && !allowed {
			if allowed = v.authorised(); !allowed {
				if err := ticket.Withdraw(ctx); err != nil {
					ticket.Suspect()
					v.warn("abandon", err)
				}
				return
			}
		}
		if !v.proceed(ctx, ticket) {
			return
		}
		v.waited = true
	}
	held.Suspect()
	v.refuse(problem{Slug: "contended", Detail: "other requests for this document keep coming first; repeat the request"}, nil)
}

// wait is how long the client may still be kept waiting.
func (v *visit) wait() time.Duration {
	if !v.waited {
		return v.preference.wait
	}
	return max(0, time.Until(v.deadline))
}

// ask is what the request wishes, and what this gateway itself thinks of it.
func (v *visit) ask() rollout.Ask {
	ask := rollout.Ask{Digest: v.name(), Intent: v.doc.Intent, Route: v.route.Name, Bucket: v.doc.Bucket, Temporal: true}
	ask.Once = v.once
	// What no split has kept from Temporal counts in neither arm.
	oversize, broken, ready := v.rt.config.Temporal.Oversize(&v.doc), v.rt.config.Breaker.Open(), v.rt.config.WorkersReady(v.route.Name)
	ask.Counts, ask.Own = !oversize && !broken && ready, v.policy.Exposure()
	q := rollout.Question{Bucket: v.doc.Bucket}
	decision := v.policy.Decide(q)
	if decision.Path == rollout.Temporal && oversize {
		ask.Oversize, q.Oversize = true, true
		decision = v.policy.Decide(q)
	}
	v.record.Decision = decision
	v.announce(decision)
	switch {
	case decision.Path == rollout.Legacy:
		ask.Temporal, ask.Why = false, rollout.ReasonLocal
		if decision.Reason == rollout.ReasonBrake {
			ask.Why = rollout.ReasonBrake // the store may not have it yet
		}
	case broken:
		ask.Temporal, ask.Why = false, rollout.ReasonBreaker
	case !ready:
		ask.Temporal, ask.Why = false, rollout.ReasonWorkers
	}
	return ask
}

// granted notes where the document goes.
func (v *visit) granted(t *claims.Ticket) {
	v.doc.Intent, v.doc.Life, v.doc.Delay = t.Intent, t.Life, 0
	v.record.Intent = t.Intent
	v.record.Decision = rollout.Decision{Path: t.Path, Reason: t.Reason, Bucket: v.doc.Bucket, Epoch: t.Epoch}
	v.announce(v.record.Decision)
}

// proceed takes the granted step. again: the claim has to be taken again.
func (v *visit) proceed(ctx context.Context, t *claims.Ticket) (again bool) {
	if t.Step == rollout.StepReplay && t.Path == rollout.Legacy {
		v.fromRecord(ctx, t)
		return false
	}
	switch t.Step {
	case rollout.StepWait:
		return v.await(ctx, t)
	case rollout.StepSend:
		if v.answeredBefore(ctx, t) {
			return false
		}
		v.send(func(ctx context.Context) rollout.Result { return v.toLegacy(ctx, t) })
	default:
		again = v.sendToTemporal(t)
	}
	return again
}

// sendToTemporal sends the document to Temporal. again: as proceed.
func (v *visit) sendToTemporal(t *claims.Ticket) (again bool) {
	v.send(func(ctx context.Context) rollout.Result {
		var result rollout.Result
		result, again = v.toTemporal(ctx, t)
		return result
	})
	return again
}

// notClaimed answers a request that got no claim. Nothing was sent.
func (v *visit) notClaimed(ctx context.Context, err error) {
	switch {
	case errors.Is(err, rollout.ErrKeyReused):
		v.record.Result = writeProblem(v.w, problem{Slug: "key-reused", Status: http.StatusUnprocessableEntity,
			Detail: "this Idempotency-Key came with another request before: use a new key for a new request"})
		v.record.Result.Outcome, v.record.Result.Err = rollout.OutcomeInvalid, err
	case errors.Is(err, rollout.ErrUnderWay):
		v.underWay(ctx, err)
	case errors.Is(err, rollout.ErrHeld):
		v.refuse(problem{Slug: "held", Detail: "another version of this document is under way on the other path; repeat the request"}, err)
	case errors.Is(err, rollout.ErrLate):
		v.refuse(problem{Slug: "held", Detail: "it is not known yet whether this document was taken, and a later version of it is about to be ingested; repeat the request"}, err)
	case errors.Is(err, rollout.ErrBusy):
		v.refuse(problem{Slug: "busy", Detail: "too many requests for this document are under way; repeat the request"}, err)
	default:
		v.refuse(problem{Slug: "claims-unavailable", Detail: "the gateway cannot put on record where the document goes, so it goes nowhere; repeat the request"}, err)
	}
}

// refuse answers 503: nothing was sent in this attempt that is not on record.
func (v *visit) refuse(p problem, err error) {
	p.Status, p.RetryAfter = http.StatusServiceUnavailable, v.rt.config.RetryAfter
	v.record.Result = writeProblem(v.w, p)
	v.record.Result.Outcome, v.record.Result.Err = rollout.OutcomeRefused, err
}

// await waits for the intent's predecessor on Temporal to end. When the client's
// wait is over the document is started all the same, and Temporal holds it back.
// again: as proceed.
func (v *visit) await(ctx context.Context, t *claims.Ticket) (again bool) {
	before := t.Predecessor
	for pause := 10 * time.Millisecond; time.Now().Before(v.deadline) && v.r.Context().Err() == nil; pause = min(2*pause, 250*time.Millisecond) {
		h, err := v.rt.config.Claims.Get(ctx, v.doc.Identity())
		if err == nil {
			if c := h.Find(before.Intent); c == nil || c.Life != before.Life || !c.Open() {
				return true
			}
		}
		time.Sleep(min(pause, time.Until(v.deadline)))
	}
	delay, err := t.Delay(ctx)
	switch {
	case errors.Is(err, claims.ErrStore):
		v.notClaimed(ctx, err)
		return false
	case err != nil: // its turn has come, or others were at it
		return true
	}
	v.doc.Delay = delay
	return v.sendToTemporal(t)
}
