package router

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
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

// writeProblem writes the answer and returns its status.
func writeProblem(w http.ResponseWriter, p problem) int {
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
	_, _ = w.Write(body) // the client may have left
	return p.Status
}

// seconds rounds up, so that nobody comes back too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
