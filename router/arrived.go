package router

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"sluice/rollout"
	"sluice/router/framing"
)

// DefaultArrival is how long a streamed request waits for the first part of its body, so
// that a fault in it is found before legacy is told of the request. A client that
// sends none, because it waits for the answer first, is delayed by no more.
const DefaultArrival = 5 * time.Millisecond

// arrived fails if it is known already that the body of a request, which is to be
// streamed, will never be whole. Only then is anything read of it, and no more than
// has come.
func (rt *Router) arrived(r *http.Request) error {
	if listed(r.Header["Expect"], "100-continue") || !framing.Broken(r, rt.config.Arrival) {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errors.Join(errBroken, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // what is broken comes after it
	return nil
}

// refuseArrived answers a body that arrived broken.
func refuseArrived(w http.ResponseWriter, err error) rollout.Result {
	w.Header().Set("Connection", "close")
	result := writeProblem(w, brokenBody("nothing was forwarded", err))
	result.Outcome, result.Err = rollout.OutcomeInvalid, err
	return result
}

// brokenBody says that the client's body breaks a rule of HTTP, or off.
func brokenBody(consequence string, err error) problem {
	return problem{Slug: "body", Status: http.StatusBadRequest,
		Detail: "the body could not be read whole; " + consequence + ": " + err.Error()}
}
