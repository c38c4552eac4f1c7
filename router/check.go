package router

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Check asks a URL: it sends the request's head and takes any 2xx for a yes.
// It is safe for concurrent use.
type Check struct {
	url    *url.URL
	client *http.Client
}

// maxRefusal bounds the body of a refusal that is passed on, in bytes.
const maxRefusal = 64 << 10

// NewCheck returns a check against the URL, each bounded by the timeout.
func NewCheck(target *url.URL, timeout time.Duration) *Check {
	return &Check{url: target, client: &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 1500 * time.Millisecond, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// notAsked are the fields that concern the body, the connection or the document,
// not the client's right.
func notAsked() []string {
	return []string{
		"Connection", "Content-Length", "Content-Encoding", "Expect", "Http2-Settings", "Keep-Alive",
		"Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Range",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Idempotency-Key", "X-Idempotency-Key",
	}
}

// notTold reports whether the field is not for the check: legacy would not get
// it from a stranger either, or it is a condition on the document, which the
// check would take for one on its own answer.
func notTold(name string) bool {
	return strings.Contains(name, "_") || strings.HasPrefix(name, "If-") ||
		strings.HasPrefix(name, "X-Forwarded-") || name == "Forwarded" || name == "X-Real-Ip"
}

// Authorise asks for one request. Any answer but a 2xx is a refusal; no answer
// is an error.
func (c *Check) Authorise(ctx context.Context, r *http.Request) (*Refusal, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url.String(), nil)
	if err != nil {
		return nil, err
	}
	ask.Header = endToEnd(r.Header).Clone()
	left := notAsked()
	for name := range ask.Header {
		if slices.Contains(left, name) || notTold(name) {
			delete(ask.Header, name)
		}
	}
	ask.Header.Set("X-Forwarded-Method", r.Method)
	ask.Header.Set("X-Forwarded-Uri", r.URL.RequestURI())
	ask.Header.Set("X-Forwarded-Host", r.Host)
	answer, err := c.client.Do(ask)
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
