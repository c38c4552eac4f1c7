package legacy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"sluice/rollout"
)

// What a call to legacy that brought no answer may be.
var (
	// ErrUnreachable: no byte was written. It always comes with
	// rollout.ErrNotAccepted.
	ErrUnreachable = errors.New("the legacy service cannot be reached")
	// ErrTimeout: written, and not answered in time.
	ErrTimeout = errors.New("the legacy service did not answer in time")
	// ErrBroken: written, in part or whole, and the connection broke.
	ErrBroken = errors.New("the connection to the legacy service broke")
)

// Forward sends the client's request to legacy and legacy's answer to w. body
// is the request's body if it has been read, else nil: then it is streamed.
// The fields that w's header holds already outrank legacy's of the same name.
//
// An error means that nothing was written to w; it wraps ErrUnreachable,
// ErrTimeout or ErrBroken. A result with OutcomeTruncated means that the answer
// broke off: the caller must abort the client's connection.
func (f *Forwarder) Forward(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) (rollout.Result, error) {
	interim := &interim{w: w}
	response, err := f.roundTrip(interim.trace(ctx), r, body)
	interim.end()
	if err != nil {
		return rollout.Result{}, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return f.switchProtocols(w, r, response)
	}
	return f.answer(w, response), nil
}

// tries bounds how many kept connections may turn out to be closed in a row.
const tries = 3

// roundTrip writes the request once. Only where nothing was written to a kept
// connection does it try a second one.
func (f *Forwarder) roundTrip(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	for try := 1; ; try++ {
		var seen witness
		request := f.request(seen.trace(ctx), r, body)
		response, err := f.transport.RoundTrip(request)
		if err == nil {
			return response, nil
		}
		untouched := seen.untouched()
		if untouched && seen.reused && body != nil && try <= tries && ctx.Err() == nil {
			continue
		}
		return nil, classify(err, untouched)
	}
}

func classify(err error, untouched bool) error {
	var timeout net.Error
	switch {
	case untouched:
		return fmt.Errorf("%w: %w: %w", rollout.ErrNotAccepted, ErrUnreachable, err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// request builds what is sent. GetBody is never set: the transport would use it
// to send a request with an Idempotency-Key twice.
func (f *Forwarder) request(ctx context.Context, r *http.Request, body []byte) *http.Request {
	out := &http.Request{
		Method:        r.Method,
		URL:           f.target(r),
		Header:        f.outbound(r),
		Host:          f.config.URL.Host,
		ContentLength: r.ContentLength,
		Body:          r.Body,
		Trailer:       r.Trailer,
		Proto:         "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if f.config.PreserveHost {
		out.Host = r.Host
	}
	switch {
	case body != nil:
		out.ContentLength = int64(len(body))
		out.Body = &once{Reader: bytes.NewReader(body)}
	case r.ContentLength == 0:
		out.Body = http.NoBody
	}
	return out.WithContext(ctx)
}

// once is a body that the transport cannot rewind.
type once struct{ io.Reader }

func (*once) Close() error { return nil }

// target keeps the client's request target byte for byte, under the base path.
func (f *Forwarder) target(r *http.Request) *url.URL {
	base := f.config.URL
	path, query, hasQuery := strings.Cut(originForm(r), "?")
	path = strings.TrimSuffix(base.EscapedPath(), "/") + path
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: query, ForceQuery: hasQuery && query == ""}
	if strings.HasPrefix(path, "//") { // as Opaque it would read as a host
		u.Path, u.RawPath = r.URL.Path, path
		return u
	}
	u.Opaque = path
	return u
}

// originForm returns the target as path and query, whatever form it came in.
func originForm(r *http.Request) string {
	if r.URL.Host == "" {
		return r.RequestURI
	}
	target := r.URL.EscapedPath()
	if target == "" {
		target = "/"
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		target += "?" + r.URL.RawQuery
	}
	return target
}
