package legacy_test

import (
	"context"
	"net"
	"net/http"
	"sync"

	"sluice/legacy"
)

// attended is a client's connection as the gateway's listener would know it.
type attended struct {
	net.Conn
	ended, closed context.Context
	end, shut     context.CancelFunc

	told chan struct{} // closed when it is to leave
	late bool          // it does not

	mu      sync.Mutex
	busy    bool // guarded by mu
	leaving bool // guarded by mu
	bound   int  // guarded by mu
}

// attendance makes a server know its clients' connections.
type attendance struct {
	late bool // no connection is closed when it is to leave, as if a request had come first

	mu  sync.Mutex
	all map[net.Conn]*attended // guarded by mu
}

func (a *attendance) tune(s *http.Server) {
	a.all = map[net.Conn]*attended{}
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		c := &attended{Conn: conn, told: make(chan struct{}), late: a.late}
		c.closed, c.shut = context.WithCancel(context.Background())
		c.ended, c.end = context.WithCancel(c.closed)
		a.mu.Lock()
		a.all[conn] = c
		a.mu.Unlock()
		return legacy.WithClient(ctx, legacy.ClientConn{Ended: c.ended, Closed: c.closed, Close: c.leave, Bound: c.bind})
	}
	s.ConnState = func(conn net.Conn, state http.ConnState) {
		a.mu.Lock()
		c := a.all[conn]
		a.mu.Unlock()
		if c != nil {
			c.follow(state)
		}
	}
}

// each calls f for every client's connection.
func (a *attendance) each(f func(*attended)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.all {
		f(c)
	}
}

func (c *attended) bind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bound++
}

func (c *attended) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.told)
	if c.leaving = !c.late; c.leaving && !c.busy {
		c.Close()
	}
}

func (c *attended) follow(state http.ConnState) {
	if state == http.StateClosed {
		c.shut()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy = state == http.StateActive; c.leaving && !c.busy {
		c.Close()
	}
}
