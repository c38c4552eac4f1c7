package handover

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Inherited are the connections that came from the predecessor, as a listener that
// accepts them. They wait without bound until somebody does: there are no more of
// them than the predecessor had.
type Inherited struct {
	first time.Duration // how long one may wait for its first request

	mu     sync.Mutex
	some   sync.Cond // of mu: queue or closed has changed
	queue  []*net.TCPConn
	closed bool

	ended chan struct{} // closed with closed
}

func newInherited(first time.Duration) *Inherited {
	i := &Inherited{first: first, ended: make(chan struct{})}
	i.some.L = &i.mu
	return i
}

// add reports whether the connection will be accepted.
func (i *Inherited) add(conn *net.TCPConn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return false
	}
	i.queue = append(i.queue, conn)
	i.some.Signal()
	return true
}

// Accept returns the next connection. After Close it still returns those that had
// come, and then fails with http.ErrServerClosed.
func (i *Inherited) Accept() (net.Conn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) == 0 {
		if i.closed {
			return nil, http.ErrServerClosed
		}
		i.some.Wait()
	}
	conn := i.queue[0]
	i.queue = i.queue[1:]
	return &inheritedConn{TCPConn: conn, first: i.first}, nil
}

// Close takes no more. It is called when the predecessor has ended, too.
func (i *Inherited) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.closed = true
		close(i.ended)
		i.some.Broadcast()
	}
	return nil
}

// End waits until the predecessor has given all that it has, so that none is lost
// that is still on its way, or until ctx ends; then it closes.
func (i *Inherited) End(ctx context.Context) error {
	select {
	case <-i.ended:
	case <-ctx.Done():
	}
	return i.Close()
}

// Addr satisfies net.Listener.
func (i *Inherited) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "the predecessor"} }

// inheritedConn marks a connection that has served before.
type inheritedConn struct {
	*net.TCPConn
	first time.Duration
}
