package legacy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"sluice/rollout"
)

// private is a client connection's own connection to legacy. NTLM and Negotiate
// (RFC 4559) authenticate a connection, not a request: what comes on it afterwards
// is that client's, whoever sent it.
//
// Invariants:
//   - A request with such credentials goes to legacy on its client's own connection
//     only, and so does all that comes after it on the same client connection, and
//     after an answer that asks for such credentials.
//   - A private connection is never replaced: to a second one the client would be a
//     stranger in the middle of what it takes for a conversation. When it is gone
//     the client's connection goes too, as if it had been the same.
type private struct {
	transport *http.Transport
	dialed    atomic.Bool
}

// errGone says that the client's own connection to legacy does not exist any more.
var errGone = errors.New("the connection to the legacy service that belonged to the client's connection is gone")

// newPrivate returns a way to legacy with at most one connection, ever. lost is
// called when it is closed.
func (f *Forwarder) newPrivate(lost func()) *private {
	p := &private{}
	once := func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, address string) (net.Conn, error) {
			if p.dialed.Swap(true) {
				return nil, errGone
			}
			conn, err := dial(ctx, network, address)
			if err != nil {
				p.dialed.Store(false)
				return nil, err
			}
			conn.(*countedConn).lost = lost
			return conn, nil
		}
	}
	line := newLine(f.config)
	p.transport = newTransport(once(line.dial), once(line.dialTLS))
	p.transport.MaxConnsPerHost, p.transport.MaxIdleConnsPerHost = 1, 1
	return p
}

// bind gives the client a connection of its own, if it has none yet.
func (f *Forwarder) bind(c *client) *private {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.private == nil {
		c.private = f.newPrivate(c.Close)
		context.AfterFunc(c.Closed, c.private.transport.CloseIdleConnections)
		c.Bound()
	}
	return c.private
}

// privateOf returns the way that the request has to take, if it must not share one.
// alone: it is for this request only, and has to be closed behind it.
func (f *Forwarder) privateOf(r *http.Request) (p *private, alone bool) {
	c, binds := clientOf(r.Context()), bindingCredentials(r.Header)
	switch {
	case c == nil && binds:
		return f.newPrivate(func() {}), true
	case c == nil:
		return nil, false
	case binds:
		return f.bind(c), false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.private, false
}

// answered notes what an answer that came on a shared connection says of it. conn
// may be nil.
func (f *Forwarder) answered(r *http.Request, response *http.Response, conn *countedConn) {
	asked, bound := bindingAnswer(response.Header)
	if bound && conn != nil {
		conn.bound.Store(true)
	}
	if c := clientOf(r.Context()); c != nil && (asked || bound) {
		f.bind(c)
	}
}

// bindingScheme reports whether credentials of the scheme are good for the whole
// connection.
func bindingScheme(challenge string) bool {
	scheme, _, _ := strings.Cut(challenge, " ")
	switch strings.ToLower(scheme) {
	case "ntlm", "negotiate", "nego2", "kerberos":
		return true
	}
	return false
}

// bindingCredentials reports whether a request is about to authenticate its
// connection.
func bindingCredentials(h http.Header) bool {
	for _, value := range h["Authorization"] {
		if bindingScheme(strings.TrimSpace(value)) {
			return true
		}
	}
	return false
}

// bindingAnswer reports whether an answer asks for credentials that are good for the
// whole connection, and whether something is bound to the connection already.
func bindingAnswer(h http.Header) (asked, bound bool) {
	for challenge := range elements(h["Www-Authenticate"]) {
		if bindingScheme(challenge) {
			asked = true
			bound = bound || strings.Contains(challenge, " ")
		}
	}
	for value := range elements(h["Persistent-Auth"]) {
		bound = bound || !strings.EqualFold(value, "false")
	}
	return asked, bound
}

// gone returns the result of a request whose connection to legacy is no more: its
// client's ends without an answer.
func gone(w http.ResponseWriter, err error) rollout.Result {
	cut(w)
	result := rollout.Result{Outcome: rollout.OutcomeAmbiguous, Err: err}
	if errors.Is(err, rollout.ErrNotAccepted) {
		result.Outcome = rollout.OutcomeRefused
	}
	return result
}
