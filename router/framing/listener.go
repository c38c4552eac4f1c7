// Package framing stands between the sockets and net/http's server and lets
// through only HTTP/1 requests whose length and host can be understood in one
// way (RFC 9112). What net/http forgives (two lengths, a length beside chunked
// coding, chunked coding in HTTP/1.0, bare line feeds, folded lines, a target
// that contradicts Host) is what another server behind the gateway may read
// differently, and that is how requests are smuggled.
//
//	srv := &http.Server{ConnContext: framing.ConnContext, ConnState: func(c net.Conn, s http.ConnState) {
//		switch s {
//		case http.StateIdle:
//			c.(*framing.Conn).Answered()
//		case http.StateHijacked:
//			c.(*framing.Conn).Release()
//		}
//	}}
//	srv.Serve(framing.NewListener(inner, framing.Limits{}))
//
// The machine, one per connection:
//
//	(empty lines) request line --> fields --+--> (no body) ----------> request line
//	                                        +--> fixed body ---------> request line
//	                                        +--> chunk size (extensions) --> data CR LF --> chunk size
//	                                                   +--(0)--> trailer --> request line
//	any state --(a rule is broken)--> refused
//
// Invariants:
//   - What net/http reads from the bytes handed on is what this package read from
//     the bytes that came: the same heads, bodies and trailers.
//   - Heads and the content of bodies are handed on unchanged, in the caller's
//     buffer, in the Read in which they arrive. Nothing waits for the end of a
//     head or a body, so net/http's deadlines and 100-continue work as without
//     the framer.
//   - What is legal and net/http would refuse is taken out: empty lines before a
//     request line, chunk extensions, leading zeros of chunk sizes. A trailer
//     section waits for its end; one that is too long for net/http is put into
//     the request by Prepare, and net/http gets one field in its place.
//   - The bytes that end a line are handed on only after the line was checked,
//     and the empty line that ends a head only after the whole head was. So
//     net/http never sees a whole message that breaks a rule, but one that it
//     answers with 501 itself.
//   - In place of the bytes that break a rule net/http gets bytes that spoil
//     whatever it was reading: in a head it answers 400, in its turn after the
//     answers to earlier requests; in a body the handler's Read fails with an
//     error that is not io.EOF. In both cases net/http closes the connection.
//   - A refused connection stays refused.
//   - The end of the client's bytes is no departure: while a request is served
//     net/http is not told of it.
//   - Where both parse a message, this package and net/http agree on its length.
//
// The inner listener must deliver cleartext: net/http recognises TLS by the
// connection's type, and a wrapped one is served as plain HTTP/1.
package framing

import "net"

// net/http allows a head this many bytes more than MaxHeaderBytes: it adds 4096,
// and 4096 more may sit in its buffer before it begins to count.
const serverSlop = 8 << 10

// Limits says what the listener lets through. The zero value is good.
type Limits struct {
	// MaxHeaderBytes bounds a request head, in bytes; 0 or less means 1 MiB,
	// net/http's default. Give it the http.Server's MaxHeaderBytes: the bound
	// is applied with net/http's own tolerance on top, so net/http answers 431
	// first. If the server allows more, the answer beyond this bound is 400.
	MaxHeaderBytes int

	// Observer is called once for each refused request, with one of Reasons().
	// It is called from many goroutines, and a client waits for it. May be nil.
	Observer func(reason string)
}

// NewListener returns a listener whose Accept wraps inner's connections as *Conn.
func NewListener(inner net.Listener, limits Limits) net.Listener {
	if limits.MaxHeaderBytes <= 0 {
		limits.MaxHeaderBytes = 1 << 20
	}
	if limits.Observer == nil {
		limits.Observer = func(string) {}
	}
	return &listener{Listener: inner, limits: limits}
}

type listener struct {
	net.Listener
	limits Limits
}

// Accept waits for the next connection; its errors are the inner listener's.
func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(inner, l.limits), nil
}
