package router

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"sluice/rollout"
)

const (
	statusPrefix  = Prefix + "/documents/"
	statusPattern = statusPrefix + "{token}"
)

// runState is the body of a status resource.
type runState struct {
	Status  string      `json:"status"`
	Answer  *runAnswer  `json:"answer,omitempty"`
	Failure *runFailure `json:"failure,omitempty"`
}

type runAnswer struct {
	Status  int                 `json:"status"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    json.RawMessage     `json:"body,omitempty"`
}

type runFailure struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Status  int    `json:"status"`
}

// status answers where the document's workflow stands.
func (rt *Router) status(w http.ResponseWriter, r *http.Request) {
	route, id, err := rt.tokens.read(chi.URLParam(r, "token"))
	if err != nil {
		unknownOwn(w, r)
		return
	}
	if of := rt.route(route); of != nil {
		w = of.answering(w) // the document's client reads it, by the same rules
	}
	run, found, err := rt.config.Temporal.Lookup(context.WithoutCancel(r.Context()), route, id)
	switch {
	case err != nil:
		writeProblem(w, problem{Slug: "status-unavailable", Status: http.StatusServiceUnavailable,
			Detail: "the state of the document cannot be read now; ask again", RetryAfter: rt.config.RetryAfter})
	case !found:
		writeProblem(w, problem{Slug: "unknown-document", Status: http.StatusNotFound,
			Detail: "nothing is known of this document any more; its record may have passed the retention time"})
	default:
		writeRun(w, run)
	}
}

func writeRun(w http.ResponseWriter, run rollout.Run) {
	state := runState{Status: run.State.String()}
	switch run.State {
	case rollout.RunRunning:
		w.Header().Set("Retry-After", "1")
	case rollout.RunCompleted:
		state.Answer = &runAnswer{Status: run.Answer.Status, Headers: run.Answer.Header, Body: jsonOf(run.Answer.Body)}
	case rollout.RunFailed:
		state.Failure = &runFailure{run.Failure.Type, run.Failure.Message, run.Failure.Status}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, state)
}

// jsonOf returns the body as a JSON value: itself, or a string of it.
func jsonOf(body []byte) json.RawMessage {
	if len(body) == 0 || json.Valid(body) {
		return body
	}
	text, _ := json.Marshal(string(body)) // a string cannot fail
	return text
}

func writeJSON(w http.ResponseWriter, status int, value any) int64 {
	body, err := json.Marshal(value)
	if err != nil {
		return writeProblem(w, problem{Slug: "internal", Status: http.StatusInternalServerError, Detail: err.Error()}).BytesOut
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	addRouteFields(w)
	w.WriteHeader(status)
	n, _ := w.Write(body) // the client may have left
	return int64(n)
}
