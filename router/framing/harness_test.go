package framing_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/router/framing"
)

// seen is what the handler got of one request.
type seen struct {
	method, uri, host, body string
	err                     error // of reading the body
}

// door is a net/http server on a loopback port, with or without the framer.
type door struct {
	addr string
	srv  *http.Server

	mu       sync.Mutex
	requests []seen   // guarded by mu
	reasons  []string // guarded by mu
}

type doorConfig struct {
	limits  framing.Limits
	plain   bool         // without the framer
	handler http.Handler // nil: record
	tune    func(*http.Server)
}

func openDoor(t testing.TB, cfg doorConfig) *door {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{addr: inner.Addr().String()}
	listener := inner
	if !cfg.plain {
		cfg.limits.Observer = d.observe
		listener = framing.NewListener(inner, cfg.limits)
	}
	if cfg.handler == nil {
		cfg.handler = http.HandlerFunc(d.record)
	}
	d.srv = &http.Server{Handler: cfg.handler, ConnState: follow}
	if cfg.tune != nil {
		cfg.tune(d.srv)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		d.srv.Serve(listener)
	}()
	t.Cleanup(func() {
		d.srv.Close()
		<-served
	})
	return d
}

func follow(c net.Conn, s http.ConnState) {
	framed, ok := c.(*framing.Conn)
	switch {
	case !ok:
	case s == http.StateIdle:
		framed.Answered()
	case s == http.StateHijacked:
		framed.Release()
	}
}

func (d *door) observe(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reasons = append(d.reasons, reason)
}

// record is a buffering gateway: it reads the body before it does anything.
func (d *door) record(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	d.mu.Lock()
	d.requests = append(d.requests, seen{r.Method, r.RequestURI, r.Host, string(body), err})
	d.mu.Unlock()
	switch {
	case err != nil:
		http.Error(w, "body", http.StatusBadRequest)
	case r.Method == http.MethodConnect:
		http.Error(w, "connect", http.StatusMethodNotAllowed)
	default:
		fmt.Fprintf(w, "%s %d", r.RequestURI, len(body))
	}
}

// forwarded is what a buffering gateway would have sent upstream.
func (d *door) forwarded() []seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.requests), func(s seen) bool { return s.err != nil })
}

func (d *door) refusals() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.reasons)
}

// client speaks raw bytes.
type client struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func (d *door) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return &client{t: t, Conn: conn, in: bufio.NewReader(conn)}
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one answer with its body.
func (c *client) answer() (status int, body string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("answer %d breaks off: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, string(b)
}

// wantAnswer reads one answer and compares it; an empty body means any.
func (c *client) wantAnswer(status int, body string) {
	c.t.Helper()
	gotStatus, gotBody := c.answer()
	if gotStatus != status || body != "" && gotBody != body {
		c.t.Fatalf("answer %d %q, want %d %q", gotStatus, gotBody, status, body)
	}
}

// wantClosed checks that the server says nothing more and closes.
func (c *client) wantClosed() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Fatalf("after the last answer: %q, %v; want a closed connection", rest, err)
	}
}
