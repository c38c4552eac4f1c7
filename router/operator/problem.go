package operator

import (
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// problem is an answer that is not what was asked for, as RFC 9457 has it.
type problem struct {
	// Slug ends the problem's type, which never changes once it is out.
	Slug   string
	Status int
	// Detail says what happened and what the operator can do.
	Detail string
}

// ProblemType is what the type of every problem begins with, as at the front door.
const ProblemType = "urn:sluice:problem:"

// Problem is the body of such an answer.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func writeProblem(w http.ResponseWriter, p problem) {
	write(w, p.Status, "application/problem+json", Problem{
		Type: ProblemType + p.Slug, Title: http.StatusText(p.Status), Status: p.Status, Detail: p.Detail,
	})
}

// writeJSON answers with what was asked for.
func writeJSON(w http.ResponseWriter, answer any) {
	write(w, http.StatusOK, "application/json", answer)
}

func write(w http.ResponseWriter, status int, kind string, answer any) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The caller may have left. What came from elsewhere may be any bytes. In this
	// order an entry of the audit is its line, and its hash can be recomputed.
	_ = json.MarshalWrite(w, answer, jsontext.AllowInvalidUTF8(true), json.Deterministic(true))
}
