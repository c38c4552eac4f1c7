package legacy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"

	"sluice/rollout"
)

// What a call to legacy that brought no answer may be.
var (
	// ErrUnreachable: no byte was written. It always comes with
	// rollout.ErrNotAccepted.
	ErrUnreachable = errors.New("the legacy service cannot be reached")
	// ErrTimeout: written, in part or whole, and not answered in time.
	ErrTimeout = errors.New("the legacy service did not answer in time")
	// ErrBroken: written, in part or whole, and the connection broke.
	ErrBroken = errors.New("the connection to the legacy service broke")
	// ErrUpload: the client's body, which was being streamed, could not be
	// read. It comes with ErrBroken, or with ErrUnreachable, and is not legacy's
	// doing.
	ErrUpload = rollout.ErrClientBody
)

// Forward sends the client's request to legacy and legacy's answer to w. body
// is the request's body if it has been read, else nil: then it is streamed.
// The fields that w's header holds already outrank legacy's of the same name.
//
// The end of ctx breaks the call off. Once the answer has begun, so does the
// end of r's own context: nobody is left to read it. Before that, so does
// AnswerTimeout after the client sends no more.
//
// Nothing was written if the result's Status is 0, nor may be: the connection to
// legacy that belonged to the client's is gone, and the caller must abort the
// client's. The outcome is then OutcomeRefused if legacy got nothing of the request.
//
// An error means that nothing but interim answers was written to w; it wraps
// ErrUnreachable, ErrTimeout or ErrBroken. A result with OutcomeTruncated means
// that the answer broke off: the caller must abort the client's connection.
//
// CONNECT is not for this method.
func (f *Forwarder) Forward(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) (rollout.Result, error) {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	c := &call{f: f, r: r, body: body, interim: interim{w: w, mute: !r.ProtoAtLeast(1, 1)}}
	c.private, c.alone = f.privateOf(r)
	if body == nil && r.ContentLength != 0 {
		c.upload = f.newUpload(r, &c.interim)
		// Else the server would hold the answer back until the client has sent
		// all. A server that cannot do it does not do that either.
		_ = http.NewResponseController(w).EnableFullDuplex()
	}
	clock := watch(f.clientEnd(r), f.config.AnswerTimeout, giveUp)
	response, err := c.roundTrip(ctx)
	clock.stop()
	c.interim.end()
	if c.upload != nil && !c.upload.ended.Load() {
		w.Header()["Connection"] = []string{"close"} // the rest of the body is in the way
	}
	switch {
	case c.private != nil && errors.Is(err, errGone):
		return gone(w, err), nil
	case err != nil:
		return rollout.Result{}, err
	}
	defer response.Body.Close()
	defer context.AfterFunc(r.Context(), func() { giveUp(nil) })()
	switch {
	case c.private == nil:
		f.answered(r, response, c.seen.conn)
	case response.Close:
		w.Header()["Connection"] = []string{"close"} // as the client's own goes with it
	}
	switch {
	case response.StatusCode == http.StatusSwitchingProtocols:
		return f.switchProtocols(ctx, w, r, response)
	case response.StatusCode < http.StatusOK:
		return rollout.Result{}, fmt.Errorf("%w: it answered with the status %03d, which HTTP does not have", ErrBroken, response.StatusCode)
	}
	return f.answer(w, r, response), nil
}

// clientEnd returns a context that ends when the client sends no more.
func (f *Forwarder) clientEnd(r *http.Request) context.Context {
	if c := clientOf(r.Context()); c != nil {
		return c.Ended
	}
	return r.Context()
}

// call is one request on its way to legacy.
type call struct {
	f       *Forwarder
	r       *http.Request
	body    []byte   // nil if the body is streamed
	upload  *upload  // nil unless there is a body and it is streamed
	private *private // nil: it goes on any connection
	alone   bool     // the private one is for this request only
	interim interim
	seen    witness
}

func (c *call) transport() *http.Transport {
	if c.private != nil {
		return c.private.transport
	}
	return c.f.transport
}

// tries bounds how many kept connections may turn out to be closed in a row.
const tries = 3

// roundTrip writes the request once. Only where nothing was written to a kept
// connection does it try a second one.
func (c *call) roundTrip(ctx context.Context) (*http.Response, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:        c.gotConn,
		Got1xxResponse: c.interim.got,
	})
	for try := 1; ; try++ {
		c.seen = witness{}
		response, err := c.transport().RoundTrip(c.request(ctx))
		if err == nil {
			if response.StatusCode == http.StatusSwitchingProtocols && c.seen.conn != nil {
				c.seen.conn.setRaw()
			}
			return response, nil
		}
		untouched := c.seen.untouched()
		whole := c.upload == nil || !c.upload.begun.Load()
		if untouched && c.seen.reused && whole && ctx.Err() == nil && (try <= tries || c.seen.barred()) {
			continue
		}
		return nil, c.classify(ctx, err, untouched)
	}
}

func (c *call) gotConn(info httptrace.GotConnInfo) {
	c.seen.gotConn(info)
	if c.upload != nil {
		c.upload.barred.Store(c.seen.barred())
	}
}

func (c *call) classify(ctx context.Context, err error, untouched bool) error {
	if errors.Is(context.Cause(ctx), errLate{}) {
		err = errLate{} // and not what that did to the connection
	}
	var timeout net.Error
	switch {
	case untouched && c.upload != nil && c.upload.broken.Load():
		return fmt.Errorf("%w: %w: %w: %w", rollout.ErrNotAccepted, ErrUnreachable, ErrUpload, err)
	case untouched:
		return fmt.Errorf("%w: %w: %w", rollout.ErrNotAccepted, ErrUnreachable, err)
	case c.upload != nil && c.upload.broken.Load():
		return fmt.Errorf("%w: %w: %w", ErrBroken, ErrUpload, err)
	case err == errLate{}, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// request builds what is sent. GetBody is never set: the transport would use it
// to send a request with an Idempotency-Key twice.
func (c *call) request(ctx context.Context) *http.Request {
	r, config := c.r, &c.f.config
	out := &http.Request{
		Method: r.Method,
		URL:    target(config.URL, r),
		Header: c.outbound(),
		Host:   c.f.host(r),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body:  http.NoBody,
		Close: c.alone,
	}
	switch {
	case c.upload != nil:
		out.Body, out.ContentLength, out.Trailer = c.upload, r.ContentLength, c.upload.trailer
		// With Expect, an answer that comes instead of a 100 then ends the
		// exchange; else the transport would ask the client for the body all
		// the same, only to keep its connection.
		out.Close = out.Close || expectsContinue(r) && c.private == nil
	case len(c.body) > 0 || c.body != nil && r.ContentLength < 0:
		// In this wrapping the transport knows it for a body in memory, which
		// goes out in one piece with the head.
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
		if r.ContentLength < 0 { // it came in chunks, and legacy may mind
			out.Trailer, out.ContentLength = c.f.requestTrailer(r), -1
		}
	}
	if out.ContentLength < 0 {
		out.TransferEncoding = []string{"chunked"} // said outright, nothing is guessed
	}
	return out.WithContext(ctx)
}
