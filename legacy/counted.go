package legacy

import (
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"
)

// countedConn is a connection to legacy that counts the bytes written, so that
// it can be proved that none of a request was.
//
// A write that legacy refuses is not an error yet, because legacy may have
// answered before it hung up (413 to an upload that is still on its way). From
// then on what is written is dropped, and reading decides: it gets the answer,
// or the end.
type countedConn struct {
	net.Conn
	sealed bool   // TLS: a write that failed may have sent a part
	lost   func() // called when it is closed; nil: nobody asks

	written atomic.Int64
	deaf    atomic.Bool // legacy refused a write
	raw     atomic.Bool // after a change of protocol: none of this applies
	bound   atomic.Bool // legacy has bound something to it: no other request may go out on it
	barred  atomic.Bool // another request was about to
	closed  atomic.Bool
}

// errBarred is what a write gets that must not go out on this connection. None of
// its bytes did.
var errBarred = errors.New("the connection to the legacy service belongs to another client")

func (c *countedConn) Write(p []byte) (int, error) {
	switch {
	case c.raw.Load():
		return c.Conn.Write(p)
	case c.barred.Load():
		return 0, errBarred
	}
	if c.deaf.Load() {
		if c.closed.Load() {
			return 0, net.ErrClosed
		}
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if err == nil || !c.sealed {
		c.written.Add(int64(n))
	} else {
		c.written.Add(int64(len(p)))
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		c.deaf.Store(true)
		return len(p), nil
	}
	return n, err
}

// setRaw makes it an ordinary connection, without deadline.
func (c *countedConn) setRaw() {
	c.raw.Store(true)
	_ = c.SetDeadline(time.Time{}) // it fails only where the next use will
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) && c.lost != nil {
		c.lost()
	}
	return c.Conn.Close()
}

// CloseWrite sends legacy the end of the stream.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// witness watches one round trip. The transport calls gotConn in the goroutine
// of the round trip, and returns an error only when nothing writes any more.
type witness struct {
	conn    *countedConn // the last one
	before  int64        // written to conn before this request
	reused  bool         // conn had been kept
	touched bool         // bytes may have gone to an earlier one
}

// gotConn is called again when the transport tries on its own.
func (w *witness) gotConn(info httptrace.GotConnInfo) {
	w.touched = !w.untouched()
	conn, ok := info.Conn.(*countedConn)
	if !ok { // not one that line made: nothing can be proved
		w.touched = true
		return
	}
	if conn.bound.Load() {
		conn.barred.Store(true)
	}
	w.conn, w.before, w.reused = conn, conn.written.Load(), info.Reused
}

// barred reports whether the request was kept from a connection that is another's.
func (w *witness) barred() bool { return w.conn != nil && w.conn.barred.Load() }

// untouched reports whether provably no byte of the request was written.
func (w *witness) untouched() bool {
	return !w.touched && (w.conn == nil || w.conn.written.Load() == w.before)
}
