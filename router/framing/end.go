package framing

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// service follows what the server does with the requests of one connection, which
// decides over what the end of the client's bytes means.
//
//	at rest --(a request's bytes)--> coming --(whole)--> served --(Answered)--> at rest
//
// A client may shut down its sending side behind a request and wait for the answer
// (RFC 9112, 9.6 has servers do so themselves). net/http takes that end for the
// client's departure: it cancels the request's context, and what its handler has not
// written by then is never written. So while a request is served Read does not
// report the end; it waits until the server wants no more of it, or until the
// connection breaks, which is how a client that really left shows.
type service struct {
	whole    atomic.Uint64 // requests that were read whole
	answered atomic.Uint64 // as far as Answered was told
	rest     atomic.Bool   // nothing was read behind the last whole one
	leaving  atomic.Bool   // the connection closes when nothing is under way

	stirred       chan struct{} // holds one wake-up for a Read that waits
	ended, closed context.Context
	end, shut     context.CancelFunc
}

func (s *service) open() {
	s.stirred = make(chan struct{}, 1)
	s.closed, s.shut = context.WithCancel(context.Background())
	s.ended, s.end = context.WithCancel(s.closed)
	s.rest.Store(true)
}

// serving reports whether a whole request has no whole answer yet.
func (s *service) serving() bool { return s.whole.Load() > s.answered.Load() }

// stir wakes a Read that waits.
func (s *service) stir() {
	select {
	case s.stirred <- struct{}{}:
	default:
	}
}

// Answered notes that the server is done with a request and keeps the connection.
// http.Server.ConnState with http.StateIdle is the place for it. A server that does
// not tell never sees a client's end after the first request.
func (c *Conn) Answered() {
	c.service.answered.Add(1)
	if c.service.leaving.Load() {
		c.CloseIdle()
	}
}

// CloseIdle closes the connection now if nothing of a request was read that is not
// answered, else when all that was is.
func (c *Conn) CloseIdle() {
	c.service.leaving.Store(true)
	if c.service.rest.Load() && !c.service.serving() {
		_ = c.Close() // nobody is left to be told
	}
}

// Ended returns a context that ends when the client sends no more: it has shut down
// its side, left, or the connection is closed here. It may still wait for an answer.
func (c *Conn) Ended() context.Context { return c.service.ended }

// Closed returns a context that ends when the connection is closed here.
func (c *Conn) Closed() context.Context { return c.service.closed }

// endLook is how often a connection is looked at whose client sends no more, while
// it is answered: a reset that has come in says that the client has left. A system
// that was left by its program answers the keep-alive probes of ours so.
const endLook = time.Second

// atEnd has met the end of the client's bytes. It returns io.EOF once no request is
// served, and any other error as soon as there is one: the connection broke, was
// closed, or the server wants its reader back and has set a deadline for that.
func (c *Conn) atEnd(p []byte) (int, error) {
	for !c.released.Load() && c.service.serving() {
		c.service.end()
		look := time.NewTimer(endLook)
		select {
		case <-c.service.stirred:
		case <-look.C:
		}
		look.Stop()
		if n, err := c.read(p); n > 0 || err != io.EOF {
			return n, err
		}
		if err := failed(c.Conn); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// failed returns what has become of the socket. Behind an end no read tells of a
// reset any more: it goes on to report the end.
func failed(conn net.Conn) error {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	pending := 0
	var unknown error
	err = raw.Control(func(fd uintptr) {
		pending, unknown = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	})
	if err = errors.Join(err, unknown); err == nil && pending != 0 {
		err = os.NewSyscallError("read", syscall.Errno(pending))
	}
	return err
}

// SetReadDeadline sets the reader's deadline. net/http sets one in the past to get
// its reader back.
func (c *Conn) SetReadDeadline(t time.Time) error {
	err := c.Conn.SetReadDeadline(t)
	c.service.stir()
	return err
}

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// broke reports whether the error says that nothing more will be read.
func broke(err error) bool { return err != nil && !errors.Is(err, os.ErrDeadlineExceeded) }
