package router

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"sluice/rollout"
)

// linger is how long a refused body may go on coming, so that the answer is not
// lost in the reset of a connection with unread bytes.
const linger = 500 * time.Millisecond

// refuseBody answers a body that was not taken.
func (v *visit) refuseBody(err error) {
	result := rollout.Result{Outcome: rollout.OutcomeInvalid, Err: err}
	p := problem{}
	switch {
	case errors.Is(err, errTooLarge):
		p = problem{Slug: "too-large", Status: http.StatusRequestEntityTooLarge,
			Detail: "a document may have at most " + strconv.FormatInt(v.rt.config.Body.Max, 10) + " bytes"}
	case errors.Is(err, errOverload):
		result.Outcome = rollout.OutcomeRefused
		p = problem{Slug: "overload", Status: http.StatusServiceUnavailable, RetryAfter: v.rt.config.RetryAfter,
			Detail: "the gateway holds as many bytes of documents as it may; repeat the request"}
	case errors.Is(err, errTooSlow):
		p = problem{Slug: "too-slow", Status: http.StatusRequestTimeout, Detail: "the body came too slowly; repeat the request"}
	default:
		p = brokenBody("nothing was forwarded", err)
	}
	v.w.Header().Set("Connection", "close") // what is left of the body is not read
	// The server looks for the body's end once more before it closes, and would
	// wait for a client that has stalled as long as that one likes. A writer
	// without deadlines has no such client.
	_ = http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(linger))
	result.Status = writeProblem(v.w, p)
	v.record.Result = result
	v.observe()
}
