package router

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"sluice/rollout"
)

// problem is an answer of the gateway's own, as RFC 9457 has it.
type problem struct {
	// Slug ends the problem's type, which never changes once it is out.
	Slug   string
	Status int
	// Detail says what happened and what the client can do.
	Detail string
	// Reason is a word of a closed set, where the type has several.
	Reason string
	// RetryAfter tells the client when to repeat; 0 says nothing.
	RetryAfter time.Duration
}

// ProblemType is what the type of every problem begins with.
const ProblemType = "urn:sluice:problem:"

// writeProblem writes the answer and returns it as a result, of which the caller knows
// the outcome.
func writeProblem(w http.ResponseWriter, p problem) rollout.Result {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.RetryAfter > 0 {
		h.Set("Retry-After", seconds(p.RetryAfter))
	}
	body, _ := json.Marshal(struct { // strings and a number: it cannot fail
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
		Reason string `json:"reason,omitempty"`
	}{ProblemType + p.Slug, http.StatusText(p.Status), p.Status, p.Detail, p.Reason})
	h.Set("Content-Length", strconv.Itoa(len(body)))
	addRouteFields(w)
	w.WriteHeader(p.Status)
	n, _ := w.Write(body) // the client may have left
	return rollout.Result{Status: p.Status, BytesOut: int64(n)}
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
