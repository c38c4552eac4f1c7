package router

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/rollout"
)

// forward sends the request to legacy and writes its answer, or one of our own
// if there is none. If the client has left, or its connection has to end without
// an answer, nothing is written; see saying.
func (rt *Router) forward(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) rollout.Result {
	result, err := rt.config.Legacy.Forward(ctx, w, r, body)
	if err == nil {
		return result
	}
	var timeout interface{ Timeout() bool }
	var outcome rollout.Outcome
	var p problem
	switch {
	case errors.Is(err, rollout.ErrClientBody): // whose end cancels the request's context too
		outcome = rollout.OutcomeInvalid
		p = brokenBody("the legacy service got no whole request", err)
	case r.Context().Err() != nil && ctx.Err() != nil:
		return rollout.Result{Status: statusClientLeft, Outcome: rollout.OutcomeCanceled, Err: err}
	case errors.Is(err, rollout.ErrNotAccepted):
		outcome = rollout.OutcomeRefused
		p = problem{Slug: "legacy-unreachable", Status: http.StatusBadGateway, RetryAfter: rt.config.RetryAfter,
			Detail: "the legacy service cannot be reached; it got no part of the request, which can be repeated"}
	case errors.As(err, &timeout) && timeout.Timeout():
		outcome = rollout.OutcomeTimeout
		p = problem{Slug: "legacy-timeout", Status: http.StatusGatewayTimeout,
			Detail: "the legacy service did not answer in time; it may have taken the request"}
	default:
		outcome = rollout.OutcomeAmbiguous
		p = problem{Slug: "legacy-broken", Status: http.StatusBadGateway,
			Detail: "the connection to the legacy service broke before its answer; it may have taken the request"}
	}
	result = writeProblem(w, p)
	result.Outcome, result.Err = outcome, err
	return result
}

// statusClientLeft is nginx's number for an answer that nobody waited for.
const statusClientLeft = 499

// passThrough forwards a request that brings no document, streamed both ways
// and tied to its client. spelling is as in its record.
func (rt *Router) passThrough(w http.ResponseWriter, r *http.Request, spelling string) {
	rt.through(r.Context(), w, r, spelling, nil, func(rollout.Result) {})
}

// through is passThrough for who has read the body, unless it is nil, wants to know how
// the request ended, or has it outlive its client.
func (rt *Router) through(ctx context.Context, w http.ResponseWriter, r *http.Request, spelling string, body []byte, ended func(rollout.Result)) {
	record := rollout.Record{Spelling: spelling, Method: r.Method, Target: r.URL.Path, Started: time.Now(), BytesIn: max(r.ContentLength, 0), Sent: true}
	var err error
	if body == nil {
		err = rt.arrived(r)
	}
	if err != nil {
		record.Sent = false
		record.Result = refuseArrived(w, err)
	} else {
		done := rt.config.Observer.InFlight(rollout.Legacy)
		record.Result = rt.streamed(ctx, w, r, body)
		done()
	}
	ended(record.Result)
	record.Duration = time.Since(record.Started)
	rt.config.Observer.Observe(&record)
	rt.logAccess(&record)
	if record.Result.Outcome == rollout.OutcomeTruncated {
		panic(http.ErrAbortHandler)
	}
}

// streamed forwards the request with the body if that has been read, else with the
// client's as it comes.
func (rt *Router) streamed(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) rollout.Result {
	if body == nil && r.ContentLength != 0 {
		rest := &rest{from: r.Body}
		r.Body = rest
		defer rest.leave(w)
	}
	return rt.forward(ctx, w, r, body)
}
