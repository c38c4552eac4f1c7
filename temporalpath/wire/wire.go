// Package wire is the contract between the gateway and the workflows that
// ingest its documents: the one argument a workflow gets, and the two forms of
// result it may return. Workers in any language lean on these JSON names, so
// they only ever grow.
//
// A workflow type that offers the update named [ResultUpdate] is waited for by
// Update-with-Start; any other is waited for by its close event. Either way a
// failure must be an ApplicationError, whose type the gateway's table maps to
// an HTTP status.
package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ResultUpdate is the name of the update that answers with the workflow's
// result, or with the ApplicationError that the workflow fails with. It takes
// no argument. The workflow must not end before its handler has returned.
const ResultUpdate = "result"

// BeginSignal is the name of the signal by which a start that Temporal holds back
// is released. It comes before the run begins, and may come again, to any run of
// a delayed start. Workflows need not handle it.
const BeginSignal = "begin"

// Input is the only argument of an ingestion workflow.
type Input struct {
	// DocID is the document's stable key, 1..512 bytes of valid UTF-8.
	DocID string `json:"doc_id"`
	// Intent names one wish to ingest one version of the document.
	Intent string `json:"intent"`
	// Life is the number of the claim's life, above 0; a later life of the intent
	// has a higher one.
	Life uint64 `json:"life"`
	// Route is the name of the gateway's route the document came in by.
	Route string `json:"route"`
	// ContentType is the request's Content-Type, as sent; may be empty.
	ContentType string `json:"content_type"`
	// ContentEncoding is the request's Content-Encoding: the codings that the body is
	// in, comma-separated, in the order in which they were applied (RFC 9110, 8.4).
	// The body is as it came, and the workflow undoes them; empty for none.
	ContentEncoding string `json:"content_encoding,omitempty"`
	// Headers holds the request's headers that the route's allow-list names,
	// by canonical name, values in order.
	Headers map[string][]string `json:"headers,omitempty"`
	// Body is the request's body: the JSON value itself where the body is valid
	// JSON and in no coding, else a JSON string as BodyEncoding says.
	Body json.RawMessage `json:"body"`
	// BodyEncoding is empty for a JSON value, or "base64".
	BodyEncoding string `json:"body_encoding,omitempty"`
	// Delayed: another version of the document was at work when Temporal took the
	// start, which it then held back. The run begins later than it was started, and
	// runs that were started after it may have begun before it.
	Delayed bool `json:"delayed,omitempty"`
	// Shadow marks a mirrored run: it must leave nothing in the real stores. Such
	// runs come on a task queue of their own, see [ShadowSupport]; their life is
	// always 1.
	Shadow bool `json:"shadow"`
}

// Base64 is the BodyEncoding of a body that is not JSON.
const Base64 = "base64"

// IsValue reports whether the body goes into an input as a JSON value. A body in a
// coding never does, whatever its bytes look like: white space would be lost there.
func IsValue(contentEncoding string, body []byte) bool {
	return (contentEncoding == "" || strings.EqualFold(contentEncoding, "identity")) && json.Valid(body)
}

// SetBody stores the request's body in in, as JSON where it is JSON. ContentEncoding
// must be set before.
func (in *Input) SetBody(body []byte) {
	if IsValue(in.ContentEncoding, body) {
		in.Body, in.BodyEncoding = body, ""
		return
	}
	quoted, _ := json.Marshal(base64.StdEncoding.EncodeToString(body)) // a string cannot fail
	in.Body, in.BodyEncoding = quoted, Base64
}

// RawBody returns the request's body: for JSON, its text (white space aside);
// otherwise the original bytes. It fails if BodyEncoding is unknown or the text
// is not in it.
func (in *Input) RawBody() ([]byte, error) {
	switch in.BodyEncoding {
	case "":
		return in.Body, nil
	case Base64:
		var raw []byte
		if err := json.Unmarshal(in.Body, &raw); err != nil {
			return nil, fmt.Errorf("body of document %q is not base64: %w", in.DocID, err)
		}
		return raw, nil
	default:
		return nil, fmt.Errorf("body of document %q has the unknown encoding %q", in.DocID, in.BodyEncoding)
	}
}

// Answer is an HTTP answer as a workflow's result describes it.
type Answer struct {
	// Status is the HTTP status, 200..599; 0 means the route's default.
	Status int `json:"status"`
	// Headers are added to the answer, by name, values in order.
	Headers map[string][]string `json:"headers,omitempty"`
	// Body is the answer's body as a JSON value. With a Content-Type that is
	// not JSON and a JSON string here, the string's characters are the body.
	Body json.RawMessage `json:"body,omitempty"`
}

// ErrStatus says that a result in the form of an Answer has a status that is
// not an HTTP status.
var ErrStatus = errors.New("status must be 200..599")

// ParseAnswer reads a workflow's result. An object with an integer "status" and
// no other members than "headers" and "body" is an Answer; any other JSON is a
// body with Status 0. It fails on ErrStatus and on text that is not JSON.
func ParseAnswer(result []byte) (Answer, error) {
	if !json.Valid(result) {
		return Answer{}, errors.New("result is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(result))
	dec.DisallowUnknownFields()
	answer := Answer{}
	if dec.Decode(&answer) != nil || answer.Status == 0 {
		return Answer{Body: result}, nil
	}
	if answer.Status < 200 || answer.Status > 599 {
		return Answer{}, fmt.Errorf("result has status %d: %w", answer.Status, ErrStatus)
	}
	return answer, nil
}

// Text returns the bytes to send for the body, given the answer's media type.
func (a Answer) Text(json bool) []byte {
	if json || len(a.Body) == 0 || a.Body[0] != '"' {
		return a.Body
	}
	return slices.Clip(unquote(a.Body))
}

func unquote(quoted []byte) []byte {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return quoted
	}
	return []byte(s)
}
