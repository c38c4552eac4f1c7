package router

import (
	"errors"
	"net/http"

	"sluice/rollout"
)

// authorised asks whether the client may, once, where legacy does not ask for
// itself: on the Temporal path, and before the gateway answers in legacy's place.
// If not, it has answered and noted the result.
func (v *visit) authorised() bool {
	if v.route.Authorise == nil || v.let {
		return true
	}
	refusal, err := v.route.Authorise.Authorise(v.r.Context(), v.r)
	var result rollout.Result
	outcome := rollout.OutcomeInvalid
	switch {
	case err == nil && refusal == nil:
		v.rt.config.Observer.AuthCheck("allowed")
		v.let = true
		return true
	case errors.Is(err, ErrBoundCredentials):
		v.rt.config.Observer.AuthCheck("denied")
		result = writeProblem(v.w, problem{Slug: "authorisation-bound", Status: http.StatusForbidden,
			Detail: "NTLM and Negotiate authenticate a connection to the legacy service, and whether this request is allowed is decided elsewhere: send credentials that are good for a request"})
	case err != nil:
		v.rt.config.Observer.AuthCheck("error")
		outcome = rollout.OutcomeRefused
		result = writeProblem(v.w, problem{Slug: "authorisation-unavailable", Status: http.StatusServiceUnavailable,
			Detail: "it cannot be found out now whether the request is allowed; repeat it", RetryAfter: v.rt.config.RetryAfter})
	default:
		v.rt.config.Observer.AuthCheck("denied")
		result.Status = refusal.Status
		for name, values := range refusal.Header {
			if !connectionField(name) {
				v.w.Header()[name] = values
			}
		}
		addRouteFields(v.w)
		v.w.WriteHeader(refusal.Status)
		n, _ := v.w.Write(refusal.Body) // the client may have left
		result.BytesOut = int64(n)
	}
	result.Outcome, result.Err = outcome, err
	v.record.Result = result
	return false
}
