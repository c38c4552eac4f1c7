package router

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"unicode/utf8"

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
	// BodyEncoding is "base64" where the body is neither JSON nor text.
	BodyEncoding string `json:"body_encoding,omitempty"`
}

type runFailure struct {
	Type    string `json:"type"`
	Message string `json:"message,omitempty"`
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
		state.Answer = showAnswer(&run.Answer)
	case rollout.RunFailed:
		state.Failure = &runFailure{run.Failure.Type, messageOf(run.Failure), run.Failure.Status}
		if run.Failure.Answer != nil {
			state.Answer, state.Failure.Message = showAnswer(run.Failure.Answer), ""
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, state)
}

// showAnswer returns the answer with its body as a JSON value: itself, or a string of
// its characters, or of what they are in base64.
func showAnswer(a *rollout.Answer) *runAnswer {
	shown := &runAnswer{Status: a.Status, Headers: a.Header, Body: a.Body}
	switch {
	case len(a.Body) == 0 || json.Valid(a.Body):
	case utf8.Valid(a.Body):
		shown.Body, _ = json.Marshal(string(a.Body)) // a string cannot fail
	default:
		shown.Body, _ = json.Marshal(a.Body) // nor can bytes, which become base64
		shown.BodyEncoding = "base64"
	}
	return shown
}

func writeJSON(w http.ResponseWriter, status int, value any) int64 {
	body, err := json.Marshal(value)
	if err != nil {
		return int64(writeProblem(w, problem{Slug: "internal", Status: http.StatusInternalServerError, Detail: err.Error()}))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	addRouteFields(w)
	w.WriteHeader(status)
	n, _ := w.Write(body) // the client may have left
	return int64(n)
}
