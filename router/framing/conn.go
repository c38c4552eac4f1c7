package framing

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// ErrRefused is what Read returns for good after a message was refused and
// net/http has got the bytes that make it answer. net/http closes the connection
// on it; only a handler that hijacks such a connection sees it.
var ErrRefused = errors.New("framing: the client broke HTTP/1 framing, nothing more is read from this connection: close it")

// spoiler makes net/http refuse whatever it is reading, wherever in a head, a
// chunk-size line, the end of a chunk or a trailer section it stands: the first
// line has a CR and a NUL in the wrong places, the second is neither a field nor
// the end of anything. It is longer than the four bytes for which net/http waits
// on an idle connection. Its last byte, which no parser needs, comes in a Read of
// its own: net/http may look for a byte while an earlier request is still being
// served, and would cancel that request if it met an error there.
const spoiler = "\r\x00\r\n\x00\r\n\r\n" + "\n"

// lingering is how long a refused connection stays half open after Close: a
// close with unread bytes in the socket resets the connection, and the client
// may lose the answer. net/http waits as long in the same case.
const lingering = 500 * time.Millisecond

// Conn is a client's connection whose Read returns checked HTTP/1 requests.
// Write, Close and the deadlines act on the inner connection. As with net/http's
// own connections, at most one goroutine may be in Read at a time.
type Conn struct {
	net.Conn
	observe func(reason string)

	released atomic.Bool
	refused  atomic.Bool
	service  service

	framer framer       // owned by the goroutine in Read
	held   bytes.Reader // owned by the goroutine in Read: bytes that are not scanned yet, behind a request for another protocol or a trailer section
	ready  []byte       // owned by the goroutine in Read: scanned bytes to be handed on before all others
	cut    bool         // owned by the goroutine in Read: look met the end of the stream
	aside  asideSection // the last trailer section that was too long for net/http
	spoil  string       // owned by the goroutine in Read: what net/http has still to get of the spoiler
}

func newConn(inner net.Conn, limits Limits) *Conn {
	c := &Conn{
		Conn:    inner,
		observe: limits.Observer,
		framer:  framer{maxHead: limits.MaxHeaderBytes + serverSlop},
	}
	c.service.open()
	return c
}

// Read hands on what the client sent, as far as it keeps the rules. Errors of the
// inner connection, deadlines included, are returned as they are and change
// nothing: the next Read goes on where the last one stopped. ErrRefused after a
// message was refused. io.EOF comes only when no request is being served; see
// service.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.read(p)
	if n == 0 && err == io.EOF {
		n, err = c.atEnd(p)
	}
	if broke(err) {
		c.service.end()
	}
	return n, err
}

func (c *Conn) read(p []byte) (int, error) {
	for {
		if len(c.ready) > 0 {
			n := copy(p, c.ready)
			c.ready = c.ready[n:]
			return n, nil
		}
		if c.refused.Load() {
			return c.spoilInto(p)
		}
		n, fromHeld, err := c.fill(p)
		if n == 0 || c.released.Load() {
			return n, err
		}
		if n = c.check(p, n, fromHeld); n > 0 {
			return n, nil // an error beside data comes again
		}
	}
}

// check scans the n bytes in p and returns how many there are to be handed on.
func (c *Conn) check(p []byte, n int, fromHeld bool) int {
	out, in, why := c.framer.scan(p[:n])
	c.service.whole.Store(c.framer.messages)
	c.service.rest.Store(c.framer.state == atRequestLine && len(c.framer.line) == 0)
	if why != accepted {
		c.refuse(why)
		spoiled, _ := c.spoilInto(p[out:])
		return out + spoiled
	}
	c.hold(p[in:n], fromHeld)
	if ended := c.framer.ended; ended != nil {
		c.framer.ended = nil
		c.ready = c.aside.inBand(ended)
	}
	return out
}

// Release ends the checking: from now on Read returns the bytes as the client
// sent them, beginning with the first that no Read has returned. It is for a
// connection that net/http has handed over (Hijack), and must be called before
// the first Read after that; http.Server.ConnState with http.StateHijacked is the
// place where no handler can forget it. Bytes that net/http had read before are
// in the buffer that Hijack returns. A connection that was refused stays refused.
func (c *Conn) Release() {
	c.released.Store(true)
	c.service.stir()
}

// Messages returns how many whole requests Read has returned, and whether it has
// returned nothing after the last of them but empty lines. It is for the
// goroutine in Read, the inner connection's Read included.
func (c *Conn) Messages() (whole uint64, clean bool) {
	f := &c.framer
	clean = f.state == atRequestLine && len(f.line) == 0 && c.held.Len() == 0 && len(c.ready) == 0 && !c.refused.Load() && !c.released.Load()
	return f.messages, clean
}

// fill reads from the held bytes while there are any, else from the client.
func (c *Conn) fill(p []byte) (n int, fromHeld bool, err error) {
	if c.held.Len() > 0 {
		n, err = c.held.Read(p)
		return n, true, err
	}
	n, err = c.Conn.Read(p)
	return n, false, err
}

// hold keeps rest for the next Read, in front of what is held already.
func (c *Conn) hold(rest []byte, fromHeld bool) {
	switch {
	case len(rest) == 0:
	case fromHeld:
		c.held.Seek(-int64(len(rest)), io.SeekCurrent)
	default:
		c.held.Reset(bytes.Clone(rest))
	}
}

func (c *Conn) refuse(why reason) {
	c.spoil = spoiler
	c.framer.line, c.framer.trailer = nil, nil
	c.refused.Store(true)
	c.observe(string(why))
}

func (c *Conn) spoilInto(p []byte) (int, error) {
	if len(c.spoil) == 0 {
		return 0, ErrRefused
	}
	n := copy(p, c.spoil[:max(1, len(c.spoil)-1)])
	c.spoil = c.spoil[n:]
	return n, nil
}

// Close closes the inner connection; a refused one is closed for writing at once
// and for reading a little later. See lingering.
func (c *Conn) Close() error {
	c.service.shut()
	c.service.stir()
	if !c.refused.Load() || c.CloseWrite() != nil {
		return c.Conn.Close()
	}
	time.AfterFunc(lingering, func() { c.Conn.Close() })
	return nil
}

// CloseWrite sends the client the end of the stream, if the inner connection can.
// net/http calls it before it closes a connection that it has not read to the end.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ReadFrom lets net/http send files without copying them, as on the inner
// connection.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	if to, ok := c.Conn.(io.ReaderFrom); ok {
		return to.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}
