package router

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// CheckConfig configures a Check. URL, Timeout and Outbound are needed.
type CheckConfig struct {
	URL *url.URL
	// Timeout bounds one question.
	Timeout time.Duration
	// Outbound returns the fields and the Host that legacy would be asked with:
	// whose request it is decides with legacy, and so must it here.
	Outbound func(r *http.Request) (fields http.Header, host string)
	// Ask asks legacy, on the client's own connection if it has one, where the URL
	// is of the legacy service. nil: it is another's, which gets its own Host, and
	// is not asked with credentials that bind a connection.
	Ask func(ctx context.Context, r, question *http.Request) (*http.Response, error)
}

// Check asks a URL: it sends the request's head and takes any 2xx for a yes.
// It is safe for concurrent use.
type Check struct {
	config    CheckConfig
	transport *http.Transport // nil if legacy is asked
}

// maxRefusal bounds the body of a refusal that is passed on, in bytes.
const maxRefusal = 64 << 10

// NewCheck returns a check.
func NewCheck(config CheckConfig) *Check {
	c := &Check{config: config}
	if config.Ask == nil {
		c.transport = &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 1500 * time.Millisecond, DisableCompression: true}
	}
	return c
}

// ErrBoundCredentials says that a client's credentials are for a connection (NTLM,
// Negotiate) that is not the one on which the check is asked.
var ErrBoundCredentials = errors.New("the client's credentials are good for a connection to the legacy service only, and the check is asked elsewhere")

// notAsked are the fields that concern the body, the connection or the document,
// not the client's right.
func notAsked() []string {
	return []string{
		"Connection", "Content-Length", "Content-Encoding", "Expect", "Http2-Settings", "Keep-Alive",
		"Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Range",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Idempotency-Key", "X-Idempotency-Key",
	}
}

// question returns what is asked of one request. Method and target of the request
// are told by all the names that authorisation services look for: Traefik's and
// Caddy's X-Forwarded-Method and -Uri, and the X-Original-* of nginx and its ingress.
func (c *Check) question(ctx context.Context, r *http.Request) (*http.Request, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, c.config.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	fields, host := c.config.Outbound(r)
	left := notAsked()
	for name := range fields {
		// A condition on the document would be taken for one on the check's answer.
		if slices.Contains(left, http.CanonicalHeaderKey(name)) || strings.HasPrefix(name, "If-") {
			delete(fields, name)
		}
	}
	if c.config.Ask != nil {
		ask.Host = host
	}
	uri := r.URL.RequestURI()
	fields.Set("X-Forwarded-Method", r.Method)
	fields.Set("X-Forwarded-Uri", uri)
	fields.Set("X-Original-Method", r.Method)
	fields.Set("X-Original-Uri", uri)
	fields.Set("X-Original-Url", first(fields.Get("X-Forwarded-Proto"))+"://"+first(fields.Get("X-Forwarded-Host"))+uri)
	dropTwins(fields)
	ask.Header = fields
	return ask, nil
}

// first returns the first element of a list: what the outermost proxy said.
func first(list string) string {
	element, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(element)
}

// dropTwins drops X_Tenant where X-Tenant is there too: a check that does not tell
// them apart could look at the one, and the workflow gets the other.
func dropTwins(fields http.Header) {
	for name := range fields {
		if !strings.Contains(name, "_") {
			continue
		}
		if _, there := fields[http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))]; there {
			delete(fields, name)
		}
	}
}

// Authorise asks for one request. Any answer but a 2xx is a refusal; no answer
// is an error.
func (c *Check) Authorise(ctx context.Context, r *http.Request) (*Refusal, error) {
	if c.config.Ask == nil && binding(r.Header.Values("Authorization")) {
		return nil, ErrBoundCredentials
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	ask, err := c.question(ctx, r)
	if err != nil {
		return nil, err
	}
	var answer *http.Response
	if c.config.Ask != nil {
		answer, err = c.config.Ask(ctx, r, ask)
	} else {
		answer, err = c.transport.RoundTrip(ask)
	}
	if err != nil {
		return nil, fmt.Errorf("authorisation check: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err != nil {
		return nil, fmt.Errorf("authorisation check: %w", err)
	}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return nil, nil
	}
	return &Refusal{Status: answer.StatusCode, Header: answer.Header, Body: body}, nil
}

// binding reports whether credentials are of a scheme that authenticates a
// connection and not a request (RFC 4559).
func binding(values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool {
		scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(value)), " ")
		return scheme == "ntlm" || scheme == "negotiate"
	})
}
