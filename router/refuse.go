package router

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"sluice/rollout"
)

// notRead is what becomes of a body that cannot be held. It goes to legacy as it comes:
// under a claim, if the document is known all the same, and the body too large each time
// that it comes; without one where nothing of any document can be on Temporal, for there
// a claim would protect nothing. That a body came slowly, or when many were held, says
// nothing of its retry, which may be on Temporal.
func (v *visit) notRead(err error) {
	switch {
	case rollout.UnroutableReason(err) == "":
		v.refuseBody(err)
	case errors.Is(err, rollout.ErrBodyTooLarge) && v.route.DocID.place != placeBody && v.identify(nil) == nil:
		v.doc.Intent = rollout.TouchIntent(v.route.Name, v.route.Method, v.route.Pattern)
		v.streamed()
	case v.rt.config.LegacyOnly():
		v.withoutClaim(err)
	default:
		v.refuseBody(err)
	}
}

// streamed passes a document whose body is not held to legacy, in order with what of it
// is in flight on Temporal. None of two such requests is a retry of the other: nobody
// has compared their bodies.
func (v *visit) streamed() {
	ctx := context.WithoutCancel(v.r.Context())
	v.record.Decision = rollout.Decision{Path: rollout.Legacy, Reason: rollout.ReasonSize, Bucket: v.doc.Bucket, Epoch: v.policy.Epoch}
	v.record.Intent = v.doc.Intent
	v.announce(v.record.Decision)
	ticket, err := v.turn(ctx)
	switch {
	case err != nil:
		v.notClaimed(ctx, err)
	case ticket.Stale(v.rt.config.Horizon / 2):
		v.stale(ctx, ticket)
	default:
		v.send(func(ctx context.Context) rollout.Result {
			ctx, cancel := limited(ctx, ticket)
			defer cancel()
			return v.forward(ctx)
		})
		v.warn("settle", ticket.Sent(ctx, concluded(v.record.Result.Outcome), rollout.Ending{}))
	}
	v.observe()
}

// refuseBody answers a body that was not taken.
func (v *visit) refuseBody(err error) {
	outcome, p := rollout.OutcomeInvalid, problem{}
	switch {
	case errors.Is(err, rollout.ErrBodyTooLarge):
		p = problem{Slug: "too-large", Status: http.StatusRequestEntityTooLarge,
			Detail: "a document may have at most " + strconv.FormatInt(v.rt.config.Body.Max, 10) + " bytes"}
	case errors.Is(err, rollout.ErrBodyOverload):
		outcome = rollout.OutcomeRefused
		p = problem{Slug: "overload", Status: http.StatusServiceUnavailable, RetryAfter: v.rt.config.RetryAfter,
			Detail: "the gateway holds as many bytes of documents as it may; repeat the request"}
	case errors.Is(err, rollout.ErrBodyTooSlow):
		p = problem{Slug: "too-slow", Status: http.StatusRequestTimeout, Detail: "the body came too slowly; repeat the request"}
	default:
		p = brokenBody("nothing was forwarded", err)
	}
	v.w.Header().Set("Connection", "close") // what is left of the body is not read
	v.record.Result = writeProblem(v.w, p)
	v.record.Result.Outcome, v.record.Result.Err = outcome, err
	v.observe()
}
