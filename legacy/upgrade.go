package legacy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"sluice/rollout"
)

// offered returns the protocols that the client asks to change to. HTTP/2 and
// TLS are never among them: legacy would take requests on that connection past
// this gateway's eyes.
func offered(r *http.Request) []string {
	if !r.ProtoAtLeast(1, 1) {
		return nil // RFC 9110, 7.8
	}
	return slices.DeleteFunc(upgradeTo(r.Header), func(protocol string) bool {
		name, _, _ := strings.Cut(strings.ToLower(protocol), "/")
		return name == "h2c" || name == "h2" || name == "http" || name == "tls"
	})
}

// upgradeTo returns the protocols that the header names, if Connection has it
// that they are for this connection.
func upgradeTo(h http.Header) []string {
	if !hasToken(h["Connection"], "upgrade") {
		return nil
	}
	return slices.Collect(elements(h["Upgrade"]))
}

// agrees reports whether legacy chose among what was offered.
func agrees(chosen, offered []string) bool {
	return len(chosen) > 0 && !slices.ContainsFunc(chosen, func(protocol string) bool {
		return !slices.ContainsFunc(offered, func(o string) bool { return strings.EqualFold(o, protocol) })
	})
}

// switchProtocols joins client and legacy after a 101 until both have ended, or
// one of them broke, or ctx ended.
func (f *Forwarder) switchProtocols(ctx context.Context, w http.ResponseWriter, r *http.Request, response *http.Response) (rollout.Result, error) {
	chosen, asked := upgradeTo(response.Header), offered(r)
	if !agrees(chosen, asked) {
		return rollout.Result{}, fmt.Errorf("%w: it changed to protocol %q where %q was asked for", ErrBroken, chosen, asked)
	}
	upstream, ok := response.Body.(halfCloser)
	if !ok {
		return rollout.Result{}, fmt.Errorf("%w: a 101 without a connection", ErrBroken)
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return rollout.Result{}, fmt.Errorf("%w: the client's connection cannot change protocol: %w", ErrBroken, err)
	}
	client := clientEnd{Conn: conn, ahead: buffered.Reader}
	defer client.Close()
	defer context.AfterFunc(ctx, func() {
		client.Close()
		upstream.Close()
	})()
	if framed, ok := conn.(interface{ Release() }); ok {
		framed.Release() // from here on it is not HTTP
	}
	result := rollout.Result{Status: http.StatusSwitchingProtocols, Outcome: rollout.OutcomeOK}
	head := w.Header()
	copyHeader(head, endToEnd(response.Header))
	head["Connection"], head["Upgrade"] = []string{"Upgrade"}, []string{strings.Join(chosen, ", ")}
	response.Header, response.Body = head, nil
	if err := errors.Join(response.Write(buffered), buffered.Flush()); err != nil {
		result.Outcome, result.Err = rollout.OutcomeCanceled, err
		return result, nil
	}
	result.BytesOut = join(client, upstream)
	return result, nil
}

// halfCloser is a connection whose two directions end one by one.
type halfCloser interface {
	io.ReadWriteCloser
	// CloseWrite sends the other side the end of the stream.
	CloseWrite() error
}

// clientEnd reads first what the server had read ahead. Beyond that it leaves
// the server's reader alone: at the end of the stream that would end the
// request's context, and so cut off the direction that still goes on.
type clientEnd struct {
	net.Conn
	ahead *bufio.Reader
}

func (c clientEnd) Read(p []byte) (int, error) {
	if n := c.ahead.Buffered(); n > 0 {
		return c.ahead.Read(p[:min(n, len(p))])
	}
	return c.Conn.Read(p)
}

func (c clientEnd) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// join copies both ways and returns the number of bytes that went to the
// client. An end is passed on, an error ends both directions.
func join(client, upstream halfCloser) int64 {
	ended := make(chan error, 2)
	go func() { ended <- pour(upstream, client, new(int64)) }()
	var out int64
	go func() { ended <- pour(client, upstream, &out) }()
	if err := <-ended; err != nil {
		client.Close()
		upstream.Close()
	}
	<-ended
	return out
}

// pour copies until from ends and counts into n.
func pour(to, from halfCloser, n *int64) (err error) {
	*n, err = io.Copy(to, from)
	return errors.Join(err, to.CloseWrite())
}
