package legacy_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// heard is a request as it came in at legacy.
type heard struct {
	*http.Request        // its Trailer is complete
	head          string // the bytes before the body, without the empty line
	body          string
}

// line returns the first line.
func (h heard) line() string {
	first, _, _ := strings.Cut(h.head, "\r\n")
	return first
}

// rawLegacy is a legacy service that decides on every byte and on when to hang
// up.
type rawLegacy struct {
	url      string
	listener net.Listener
	script   func(c *rawConn)
	running  sync.WaitGroup
	stop     chan struct{} // closed at the test's end

	mu    sync.Mutex
	conns []*rawConn // guarded by mu
	all   []heard    // guarded by mu
}

// rawConn is one connection to a rawLegacy.
type rawConn struct {
	net.Conn
	service *rawLegacy
	n       int // counts the connections from 1
	in      *bufio.Reader
	raw     bytes.Buffer
}

// openRaw runs the script once for each connection and then closes it.
func openRaw(t testing.TB, script func(c *rawConn)) *rawLegacy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawLegacy{url: "http://" + listener.Addr().String(), listener: listener, script: script, stop: make(chan struct{})}
	s.running.Go(s.accept)
	t.Cleanup(func() {
		listener.Close()
		close(s.stop)
		s.mu.Lock()
		for _, c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.running.Wait()
	})
	return s
}

func (s *rawLegacy) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		s.mu.Lock()
		c := &rawConn{Conn: conn, service: s, n: len(s.conns) + 1}
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		c.in = bufio.NewReader(io.TeeReader(conn, &c.raw))
		s.running.Go(func() {
			defer conn.Close()
			s.script(c)
		})
	}
}

// requests returns what came in, in the order of its end.
func (s *rawLegacy) requests() []heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// only returns the request that came in, which must be one.
func (s *rawLegacy) only(t testing.TB) heard {
	t.Helper()
	all := s.requests()
	if len(all) != 1 {
		t.Fatalf("legacy got %d requests, want 1", len(all))
	}
	return all[0]
}

// readHead reads a request and leaves its body to the script.
func (c *rawConn) readHead() (heard, bool) {
	c.raw.Reset() // what bufio holds already would be missing: nobody pipelines here
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return heard{}, false
	}
	head, _, _ := strings.Cut(c.raw.String(), "\r\n\r\n")
	return heard{Request: r, head: head}, true
}

// read reads and records a request with its body.
func (c *rawConn) read() (heard, bool) {
	h, ok := c.readHead()
	if !ok {
		return h, false
	}
	body, err := io.ReadAll(h.Body)
	if err != nil {
		return h, false
	}
	h.body = string(body)
	c.service.mu.Lock()
	defer c.service.mu.Unlock()
	c.service.all = append(c.service.all, h)
	return h, true
}

// write ignores that nobody may listen any more.
func (c *rawConn) write(bytes string) { io.WriteString(c, bytes) }

// await blocks until the test lets the script go on, or is over.
func (c *rawConn) await(next <-chan struct{}) {
	select {
	case <-next:
	case <-c.service.stop:
	}
}

// reset makes the close at the script's end a RST.
func (c *rawConn) reset() { c.Conn.(*net.TCPConn).SetLinger(0) }

// answering is a script that gives every request the same answer.
func answering(answer string) func(c *rawConn) {
	return func(c *rawConn) {
		for {
			if _, ok := c.read(); !ok {
				return
			}
			c.write(answer)
		}
	}
}

const answerOK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
