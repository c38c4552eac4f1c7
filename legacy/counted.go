package legacy

import (
	"context"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// countedConn counts the bytes written, so that it can be proved that none of
// a request was. With TLS they are the encrypted bytes, which is as good: no
// byte of a request leaves without them.
type countedConn struct {
	net.Conn
	written atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// witness watches one round trip. Its fields are written by the transport's
// goroutine before the round trip returns.
type witness struct {
	conn   *countedConn
	before int64
	blind  bool // a connection came that cannot be counted
	reused bool
}

func (w *witness) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: w.gotConn})
}

func (w *witness) gotConn(info httptrace.GotConnInfo) {
	conn := info.Conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // *tls.Conn
		conn = wrapped.NetConn()
	}
	counted, ok := conn.(*countedConn)
	if !ok || w.conn != nil {
		w.blind = true // unknown, or the transport tried twice on its own
		return
	}
	w.conn, w.before, w.reused = counted, counted.written.Load(), info.Reused
}

// untouched reports whether provably no byte of the request was written.
func (w *witness) untouched() bool {
	if w.blind {
		return false
	}
	return w.conn == nil || w.conn.written.Load() == w.before
}
