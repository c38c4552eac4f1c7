package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// toLegacy sends the document to legacy, once.
func (v *visit) toLegacy(ctx context.Context, t *claims.Ticket) rollout.Result {
	if t.Stale(v.rt.config.Horizon / 2) {
		v.stale(ctx, t)
		return v.record.Result
	}
	ctx, cancel := limited(ctx, t)
	defer cancel()
	began := time.Now()
	result := v.mirrored(func() rollout.Result {
		if v.once {
			return v.forwardOnce(ctx, t.Life)
		}
		return v.forward(ctx)
	})
	end := rollout.Ending{Fate: rollout.FateOf(result.Outcome), Took: time.Since(began)}
	if v.route.Authorise != nil && (result.Status == http.StatusUnauthorized || result.Status == http.StatusForbidden) {
		end = rollout.Ending{Fate: rollout.FateWithdrawn} // on the other path it was not even assigned
	}
	v.warn("settle", v.sent(context.WithoutCancel(ctx), t, result, end))
	return result
}

// stale answers a request whose process stood still: others may have settled its claim by
// now. Nothing was sent.
func (v *visit) stale(ctx context.Context, t *claims.Ticket) {
	v.warn("settle", v.sent(ctx, t, rollout.Result{Outcome: rollout.OutcomeRefused, Status: http.StatusServiceUnavailable}, rollout.Ending{}))
	v.refuse(problem{Slug: "stale-claim", Detail: "the gateway was held up; nothing was sent; repeat the request"}, nil)
}

// limited bounds a request to legacy as its ticket says.
func limited(ctx context.Context, t *claims.Ticket) (context.Context, context.CancelFunc) {
	if limit, bounded := t.Limit(); bounded {
		return context.WithTimeout(ctx, limit)
	}
	return ctx, func() {}
}

// sent notes how the request to legacy ended.
func (v *visit) sent(ctx context.Context, t *claims.Ticket, result rollout.Result, end rollout.Ending) error {
	switch result.Outcome {
	case rollout.OutcomeAmbiguous, rollout.OutcomeTimeout, rollout.OutcomeTruncated:
		return t.Sent(ctx, false, end)
	case rollout.OutcomeCanceled:
		if result.Status == statusClientLeft { // and legacy has not begun to answer
			return t.Sent(ctx, false, end)
		}
	}
	if v.once && rollout.InvitesRepeat(result.Status) { // as does what legacy got nothing of
		return t.Declined(ctx, end)
	}
	return t.Sent(ctx, true, end)
}

// toTemporal starts the document's workflow, or finds it, and answers with how it
// went. again: the claim has to be taken again, and nothing was answered.
func (v *visit) toTemporal(ctx context.Context, t *claims.Ticket) (result rollout.Result, again bool) {
	switch t.Step {
	case rollout.StepReplay:
		return v.replay(ctx, t)
	case rollout.StepJoin:
		run, err := v.rt.config.Temporal.Follow(ctx, v.route.Name, t.WorkflowID(), v.wait())
		if err != nil {
			t.Suspect()
			return rollout.Result{}, true
		}
		if run.State != rollout.RunRunning {
			v.warn("settle", t.Ended(ctx, run))
		}
		return v.answerRun(run), false
	}
	began := time.Now()
	run, failed := v.rt.config.Temporal.Run(ctx, &v.doc, v.wait())
	run.Took = time.Since(began)
	v.rt.config.Breaker.Report(!errors.Is(failed, rollout.ErrUnavailable))
	moved, err := t.Ran(ctx, run, failed)
	switch {
	case failed == nil:
		v.warn("settle", err) // Temporal has it, whatever the record says
		return v.answerRun(run), false
	case moved:
		v.granted(t)
		return v.toLegacy(ctx, t), false
	case errors.Is(err, rollout.ErrClaimGone), errors.Is(err, rollout.ErrMoved):
		return rollout.Result{}, true
	}
	return v.notRun(failed), false
}

// replay answers a retry of what has ended.
func (v *visit) replay(ctx context.Context, t *claims.Ticket) (rollout.Result, bool) {
	run, found, err := v.rt.config.Temporal.Lookup(ctx, v.route.Name, t.WorkflowID())
	v.w.Header().Set("Rollout-Replayed", "true")
	switch {
	case err != nil && !errors.Is(err, rollout.ErrFenced):
		v.refuse(problem{Slug: "replay-unavailable", Detail: "the document was ingested; its answer cannot be read now; repeat the request"}, err)
		return v.record.Result, false
	case !found:
		return v.answerGone("the document was ingested, or may have been, and its answer is not kept; it is not run again"), false
	}
	return v.answerRun(run), false
}

// answerGone answers a retry of what is over, and whose answer nobody has.
func (v *visit) answerGone(detail string) rollout.Result {
	result := writeProblem(v.w, problem{Slug: "answer-gone", Status: http.StatusConflict, Detail: detail})
	result.Outcome = rollout.OutcomeInvalid
	return result
}

// notRun answers a document that is on record for Temporal and may be there. The
// resolver finds out.
func (v *visit) notRun(err error) rollout.Result {
	v.refuse(problem{Slug: "temporal-ambiguous",
		Detail: "it is not known yet whether the document was taken; repeat the same request: it is never run twice"}, err)
	v.record.Result.Outcome = rollout.OutcomeAmbiguous
	return v.record.Result
}

// warn logs what could not be put on record. The resolver sees to it.
func (v *visit) warn(what string, err error) {
	if err != nil {
		v.rt.config.Log.Warn("the record of a claim could not be changed", zap.String("change", what),
			zap.String("doc_id", v.doc.Identity()), zap.String("intent", string(v.doc.Intent)), zap.Error(err))
	}
}
