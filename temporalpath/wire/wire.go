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
	"encoding/base64"
	"encoding/json"
	"fmt"
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
	// Tenant is the request's, where the gateway is told of tenants; may be empty.
	Tenant string `json:"tenant,omitempty"`
	// Method, Path and Query are the request's. Path is as it was sent, escapes and
	// all, without the query; Query is what followed the question mark, as sent.
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query,omitempty"`
	// PathParts are the named parts of the route's pattern, unescaped.
	PathParts map[string]string `json:"path_parts,omitempty"`
	// ContentType is the request's Content-Type, as sent; may be empty.
	ContentType string `json:"content_type"`
	// ContentEncoding is the request's Content-Encoding: the codings that the body is
	// in, comma-separated, in the order in which they were applied (RFC 9110, 8.4).
	// The body is as it came, and the workflow undoes them; empty for none.
	ContentEncoding string `json:"content_encoding,omitempty"`
	// Headers holds the request's headers that the route's allow-list names,
	// by canonical name, values in order. They are part of the intent.
	Headers map[string][]string `json:"headers,omitempty"`
	// Body is the request's body: the JSON value itself where [Form] hands it over so,
	// else a JSON string as BodyEncoding says.
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

// Base64 is the BodyEncoding of a body that is not handed over as a JSON value.
const Base64 = "base64"

// SetBody stores the request's body in in, in the form that the route asks for.
// ContentType and ContentEncoding must be set before.
func (in *Input) SetBody(form Form, body []byte) {
	if form.IsValue(in.ContentType, in.ContentEncoding, body) {
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
