package invisible_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long anybody waits for what must come.
const patience = 30 * time.Second

// script is how a legacy service answers one request.
type script func(x *exchange)

// exchange is one request and its answer, at the legacy service.
type exchange struct {
	*stage
	request *message
	conn    *net.TCPConn
	in      *bufio.Reader
	link    *link
	read    bool // the body was
	ended   bool // no other request is read from the connection
}

// link is what a legacy service knows of one connection.
type link struct {
	number   int    // from 1, in the order they were made
	requests int    // this one included
	user     string // who has authenticated on it
}

// body reads the request's body, once.
func (x *exchange) body() string {
	if !x.read {
		x.read = true
		if err := x.request.readBody(x.in, false); err != nil {
			x.request.framing += ", cut"
			x.ended = true
		}
	}
	return x.request.body
}

// say writes bytes as they are.
func (x *exchange) say(raw string) {
	if _, err := io.WriteString(x.conn, raw); err != nil {
		x.ended = true
	}
}

// hangUp ends the connection; what was said arrives.
func (x *exchange) hangUp() {
	x.ended = true
	x.conn.CloseWrite()
}

// reset ends the connection so that the other side's read fails.
func (x *exchange) reset() {
	x.ended = true
	x.conn.SetLinger(0)
	x.conn.Close()
}

// rawLegacy is a legacy service that decides on every byte.
type rawLegacy struct {
	*stage
	listener net.Listener
	script   script
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

func openLegacy(t testing.TB, s *stage, run script) *rawLegacy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &rawLegacy{stage: s, listener: listener, script: run}
	l.running.Go(l.accept)
	t.Cleanup(func() {
		listener.Close()
		l.mu.Lock()
		for _, c := range l.conns {
			c.Close()
		}
		l.mu.Unlock()
		l.running.Wait()
	})
	return l
}

func (l *rawLegacy) address() string { return l.listener.Addr().String() }

func (l *rawLegacy) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.conns = append(l.conns, conn)
		number := len(l.conns)
		l.mu.Unlock()
		l.running.Go(func() { l.serve(conn.(*net.TCPConn), &link{number: number}) })
	}
}

func (l *rawLegacy) serve(conn *net.TCPConn, link *link) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		skipBlank(in)
		head, err := readHead(in)
		if err != nil {
			return
		}
		link.requests++
		x := &exchange{stage: l.stage, request: &head, conn: conn, in: in, link: link}
		l.exchange(x)
		if x.ended || closes(&head) {
			break
		}
	}
	conn.CloseWrite()
	conn.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, in) // a close with unread bytes would be a reset
}

// skipBlank skips the empty lines before a request, as servers do (RFC 9112, 2.2).
func skipBlank(in *bufio.Reader) {
	for {
		next, err := in.Peek(1)
		if err != nil || next[0] != '\r' && next[0] != '\n' {
			return
		}
		_, _ = in.Discard(1) // it is there
	}
}

func (l *rawLegacy) exchange(x *exchange) {
	if x.request.target() == probe {
		x.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain")
		return
	}
	l.begin(x.request)
	defer l.done()
	l.script(x)
	if !x.ended {
		x.body()
	}
}

// closes reports whether the connection ends with the request.
func closes(m *message) bool {
	return m.has("connection", "close") || strings.HasSuffix(m.start, "HTTP/1.0") && !m.has("connection", "keep-alive")
}

// says returns a script that reads the request and gives the answer, without its body
// to a HEAD; then the connection ends if the answer says so.
func says(raw string) func() script {
	return func() script {
		return func(x *exchange) {
			x.body()
			head, body := cutLast(raw)
			if x.request.method() == "HEAD" {
				body = ""
			}
			x.say(head + body)
			if strings.Contains(strings.ToLower(head), "connection: close") {
				x.hangUp()
			}
		}
	}
}

// each returns a script that is the same for all requests and keeps nothing.
func each(s script) func() script { return func() script { return s } }

// stored is what legacy answers where a row does not care.
const stored = "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: legacy/1.0\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n" + `{"status":"stored"}`
