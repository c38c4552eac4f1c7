package router

import (
	"errors"
	"net/http"
	"strconv"

	"sluice/rollout"
)

// notRead is what becomes of a body that cannot be held. Where nothing of any document
// can be on Temporal a claim would protect nothing, and the request goes to legacy as
// it comes.
func (v *visit) notRead(err error) {
	if rollout.UnroutableReason(err) != "" && v.rt.config.LegacyOnly() {
		v.withoutClaim(err)
		return
	}
	v.refuseBody(err)
}

// refuseBody answers a body that was not taken.
func (v *visit) refuseBody(err error) {
	result := rollout.Result{Outcome: rollout.OutcomeInvalid, Err: err}
	p := problem{}
	switch {
	case errors.Is(err, rollout.ErrBodyTooLarge):
		p = problem{Slug: "too-large", Status: http.StatusRequestEntityTooLarge,
			Detail: "a document may have at most " + strconv.FormatInt(v.rt.config.Body.Max, 10) + " bytes"}
	case errors.Is(err, rollout.ErrBodyOverload):
		result.Outcome = rollout.OutcomeRefused
		p = problem{Slug: "overload", Status: http.StatusServiceUnavailable, RetryAfter: v.rt.config.RetryAfter,
			Detail: "the gateway holds as many bytes of documents as it may; repeat the request"}
	case errors.Is(err, rollout.ErrBodyTooSlow):
		p = problem{Slug: "too-slow", Status: http.StatusRequestTimeout, Detail: "the body came too slowly; repeat the request"}
	default:
		p = brokenBody("nothing was forwarded", err)
	}
	v.w.Header().Set("Connection", "close") // what is left of the body is not read
	result.Status = writeProblem(v.w, p)
	v.record.Result = result
	v.observe()
}
