package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sluice/rollout"
)

// Route is a kind of request that brings documents.
type Route struct {
	// Name is the route's in metrics, logs and workflow inputs.
	Name string
	// Method and Pattern select the requests; the pattern is chi's.
	Method, Pattern string
	// DocID says where the doc_id is.
	DocID Locator
	// Authorise is asked before a document goes to Temporal. nil means that the
	// route needs no authorisation; legacy does its own.
	Authorise Authoriser
	// Headers are the fields that the workflow gets, by any letter case. They are part
	// of the intent: another value is another wish.
	Headers []string
	// Touches are the other requests that change the route's documents.
	Touches []Touch
	// AnswerFields are added to the answers that are the gateway's own, where these
	// have none of the name: what legacy adds to every answer of its. The names
	// are canonical.
	AnswerFields http.Header
}

// Authoriser decides whether a client may have its document ingested.
type Authoriser interface {
	// Authorise returns nil if the client may; or the answer to refuse it with;
	// or an error if that cannot be found out, in which case it may not.
	Authorise(ctx context.Context, r *http.Request) (*Refusal, error)
}

// Refusal is an answer that was given in place of authorisation.
type Refusal struct {
	Status int
	Header http.Header
	Body   []byte
}

func (route *Route) check() error {
	switch {
	case route.Name == "":
		return errors.New("it has no name")
	case !slices.Contains(methods(), route.Method):
		return fmt.Errorf("method %q is not one of %s", route.Method, strings.Join(methods(), ", "))
	}
	if err := checkPattern(route.Pattern, route.DocID); err != nil {
		return err
	}
	for i := range route.Touches {
		if err := route.Touches[i].check(); err != nil {
			return fmt.Errorf("touches: %w", err)
		}
	}
	return nil
}

func methods() []string { return []string{http.MethodPost, http.MethodPut, http.MethodPatch} }

// allowed picks the fields that the workflow gets.
func (route *Route) allowed(h http.Header) map[string][]string {
	var picked map[string][]string
	for _, name := range route.Headers {
		name = http.CanonicalHeaderKey(name)
		if values := h[name]; len(values) > 0 {
			if picked == nil {
				picked = map[string][]string{}
			}
			picked[name] = values
		}
	}
	return picked
}

// document returns what the request, of which fields is the header, end to end, says
// of its document; c undoes its codings. The error is one of those that
// rollout.UnroutableReason knows; then only the doc_id is wrong.
func (route *Route) document(c *codings, r *http.Request, fields http.Header, body []byte) (rollout.Document, error) {
	id, err := route.DocID.find(c, r, fields, body)
	return rollout.Document{
		Route: route.Name, DocID: id, Body: body,
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, PathParts: pathParts(r),
		ContentType:     fields.Get("Content-Type"),
		ContentEncoding: strings.Join(fields["Content-Encoding"], ", "),
		Header:          route.allowed(fields),
	}, err
}
