package handover

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Connections are the clients' connections that are open here.
type Connections struct {
	log    *zap.Logger
	moving atomic.Bool // set once, before heir is used

	mu    sync.Mutex
	open  map[*Conn]struct{} // guarded by mu
	heir  func(*net.TCPConn) error
	moved int           // guarded by mu
	none  chan struct{} // guarded by mu; closed when moving and none is open
}

// NewConnections returns an empty set.
func NewConnections(log *zap.Logger) *Connections {
	return &Connections{log: log, open: map[*Conn]struct{}{}}
}

// Listener returns a listener that accepts inner's connections as *Conn. They must
// be of TCP.
func (c *Connections) Listener(inner net.Listener) net.Listener { return &listener{inner, c} }

type listener struct {
	net.Listener
	all *Connections
}

// Accept waits for the next connection; its errors are the inner listener's.
func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &Conn{all: l.all, between: true}
	switch inner := inner.(type) {
	case *net.TCPConn:
		conn.TCPConn = inner
	case *inheritedConn:
		conn.TCPConn, conn.first, conn.fresh = inner.TCPConn, inner.first, true
	}
	l.all.add(conn)
	return conn, nil
}

func (c *Connections) add(conn *Conn) {
	c.mu.Lock()
	c.open[conn] = struct{}{}
	c.mu.Unlock()
	if c.moving.Load() {
		conn.leave()
	}
}

// Forget takes the connection off: it was closed, or is no HTTP any more.
func (c *Connections) Forget(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.open[conn]; there {
		delete(c.open, conn)
		c.look()
	}
}

// look notices that none is open any more. c.mu is held.
func (c *Connections) look() {
	if c.none != nil && len(c.open) == 0 {
		close(c.none)
		c.none = nil
	}
}

// emptyLook is the pause between two looks whether connections are left.
const emptyLook = 20 * time.Millisecond

// Empty returns once no connection is open, or ctx ends.
func (c *Connections) Empty(ctx context.Context) {
	for ctx.Err() == nil {
		c.mu.Lock()
		left := len(c.open)
		c.mu.Unlock()
		if left == 0 {
			return
		}
		time.Sleep(emptyLook)
	}
}

// MoveTo gives every connection to heir as soon as nothing is under way on it,
// and returns how many it gave once none is left. No more may be accepted. It
// fails if ctx ends before that. It may be called once.
func (c *Connections) MoveTo(ctx context.Context, heir func(*net.TCPConn) error) (int, error) {
	none := make(chan struct{})
	c.mu.Lock()
	c.heir, c.none = heir, none
	c.moving.Store(true)
	open := make([]*Conn, 0, len(c.open))
	for conn := range c.open {
		open = append(open, conn)
	}
	c.look()
	c.mu.Unlock()
	for _, conn := range open {
		conn.leave()
	}
	var err error
	select {
	case <-none:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved, err
}

// give moves one connection. If the successor is not there any more the client
// loses it.
func (c *Connections) give(conn *net.TCPConn) {
	if err := c.heir(conn); err != nil {
		c.log.Warn("a kept connection could not be handed over and is closed", zap.Error(err))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved++
}
