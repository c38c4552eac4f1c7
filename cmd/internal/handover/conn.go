package handover

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Conn is a client's connection that can move to a successor while nothing is
// under way on it. It is between requests from its beginning, and when all that
// was read of it is answered, until the next byte is read:
//
//	between --(a byte is read)--> begun --(answered, and nothing else was read)--> between
//	between --(leave)--> leaving --(a byte was faster)--> begun
//	                     leaving --(Read, without a byte)--> gone, with Close
//
// A Read that is interrupted so fails as on a deadline, on which net/http closes
// the connection without a word; what Close does then is to give it away.
type Conn struct {
	*net.TCPConn
	all *Connections
	// requests returns how many whole requests were read, and whether nothing
	// was after the last that would be missed. Owned by the goroutine in Read.
	requests func() (whole uint64, clean bool)

	mu       sync.Mutex
	between  bool          // guarded by mu
	leaving  bool          // guarded by mu
	gone     bool          // guarded by mu
	stays    bool          // guarded by mu
	answered uint64        // guarded by mu; requests
	deadline time.Time     // guarded by mu; the reader's, in force unless leaving
	fresh    bool          // guarded by mu; inherited, and nothing was read here
	first    time.Duration // how long a fresh one may wait for a request
	header   time.Duration // guarded by mu; how long the first head may take then
}

// Begin tells how the connection's requests are counted: requests returns how many
// whole ones were read, and whether nothing was after the last that would be
// missed. It is called by whoever reads, at the beginning of Read.
func (c *Conn) Begin(requests func() (whole uint64, clean bool)) { c.requests = requests }

// Answered notes that a request was answered and that the connection is kept.
func (c *Conn) Answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered++
}

// Read reads; it is interrupted if the connection is to leave.
func (c *Conn) Read(p []byte) (int, error) {
	c.look()
	n, err := c.TCPConn.Read(p)
	for n > 0 && err == nil {
		if n = c.skip(p[:n]); n > 0 {
			break
		}
		n, err = c.TCPConn.Read(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n > 0 && c.between:
		if late := c.begin(); late != nil && err == nil {
			err = late
		}
	case n == 0 && c.leaving && errors.Is(err, os.ErrDeadlineExceeded):
		c.gone = true
	}
	return n, err
}

// skip drops what some clients send after a request, an empty line, if it comes
// only now: to net/http the connection is new, and nothing was before. It returns
// how many bytes are left in p.
func (c *Conn) skip(p []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.fresh {
		return len(p)
	}
	return copy(p, bytes.TrimLeft(p, "\r\n"))
}

// look notices that all that was read is answered.
func (c *Conn) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.between || c.requests == nil {
		return
	}
	if whole, clean := c.requests(); clean && whole == c.answered {
		c.between = true
		if c.all.moving.Load() {
			c.interrupt()
		}
	}
}

// begin notes a request's first byte. c.mu is held.
func (c *Conn) begin() error {
	c.between = false
	if !c.leaving && !c.fresh {
		return nil
	}
	if c.fresh {
		c.deadline = after(c.header)
	}
	c.leaving, c.fresh = false, false
	return c.TCPConn.SetReadDeadline(c.deadline)
}

// after returns the time after a while, and no time after none.
func after(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// SetReadDeadline sets the reader's deadline. net/http gives a new connection as
// long as a head may take; one that was inherited may be idle for longer, as it
// was before it came here.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.fresh {
		if c.header = 0; !t.IsZero() {
			c.header = time.Until(t)
		}
		c.deadline = after(c.first)
	}
	if c.leaving {
		return nil // or it would wait again
	}
	return c.TCPConn.SetReadDeadline(c.deadline)
}

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Stay notes that no other process can go on with the connection: where it would
// move it is closed, as between two requests it may be.
func (c *Conn) Stay() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stays = true
}

// leave makes the connection move if it can: now, or when it is between requests.
func (c *Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupt()
}

// interrupt ends a Read that has got nothing. c.mu is held.
func (c *Conn) interrupt() {
	if !c.between || c.leaving {
		return
	}
	c.leaving = true
	_ = c.TCPConn.SetReadDeadline(time.Unix(1, 0)) // fails only once it is closed
}

// Close closes the connection here. To the client it goes on if it is gone to the
// successor.
func (c *Conn) Close() error {
	c.mu.Lock()
	gone := c.gone && !c.stays
	c.gone = false
	c.mu.Unlock()
	if gone {
		c.all.give(c.TCPConn)
	}
	c.all.Forget(c)
	return c.TCPConn.Close()
}
