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
// under way on it. It is between requests from its beginning, and from the answer
// to a request, until the next byte is read:
//
//	between --(a byte is read)--> begun --(answered, nothing more was read)--> between
//	between --(leave)--> leaving --(a byte was faster)--> begun
//	                     leaving --(Read, without a byte)--> gone, with Close
//
// A Read that is interrupted so fails as on a deadline, on which net/http closes
// the connection without a word; what Close does then is to give it away.
type Conn struct {
	*net.TCPConn
	all *Connections

	mu       sync.Mutex
	between  bool          // guarded by mu
	leaving  bool          // guarded by mu
	gone     bool          // guarded by mu
	served   uint64        // guarded by mu; requests answered here
	deadline time.Time     // guarded by mu; the reader's, in force unless leaving
	first    time.Duration // guarded by mu; see SetReadDeadline
	header   time.Duration // guarded by mu; what is left for the first head once it begins
}

// Read reads; it is interrupted if the connection is to leave.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n > 0 && c.between && !blank(p[:n]):
		if late := c.begin(); late != nil && err == nil {
			err = late
		}
	case n == 0 && c.leaving && errors.Is(err, os.ErrDeadlineExceeded):
		c.gone = true
	}
	return n, err
}

// blank reports whether the bytes are the end of an empty line at most. Some clients
// send one after a request; it begins nothing, and is not missed if it is lost.
func blank(p []byte) bool { return len(p) <= len("\r\n\r\n") && len(bytes.Trim(p, "\r\n")) == 0 }

// begin notes a request's first byte. c.mu is held.
func (c *Conn) begin() error {
	c.between = false
	if !c.leaving && c.first == 0 {
		return nil
	}
	if c.first > 0 {
		c.deadline = time.Time{}
		if c.header > 0 {
			c.deadline = time.Now().Add(c.header)
		}
	}
	c.leaving, c.first = false, 0
	return c.TCPConn.SetReadDeadline(c.deadline)
}

// SetReadDeadline sets the reader's deadline. net/http gives a new connection as
// long as a head may take; one that was inherited may be idle for longer, as it
// was before it came here.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if c.first > 0 {
		if c.header = 0; !t.IsZero() {
			c.header = time.Until(t)
		}
		c.deadline = time.Now().Add(c.first)
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

// Answered notes that a request was answered and that the connection is kept.
// read is how many whole requests were read, and clean whether nothing of another
// one was. It is called by the goroutine that reads, before it reads again.
func (c *Conn) Answered(read uint64, clean bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.served++
	c.between = clean && read == c.served
	if c.all.moving.Load() {
		c.interrupt()
	}
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
	gone := c.gone
	c.gone = false
	c.mu.Unlock()
	if gone {
		c.all.give(c.TCPConn)
	}
	c.all.Forget(c)
	return c.TCPConn.Close()
}
