package router_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"sluice/legacy"
)

// received is a request as the legacy service got it, and as it came if the
// connection broke in its middle.
type received struct {
	head    string
	header  http.Header
	length  int64 // -1 for chunks
	body    string
	trailer http.Header
	whole   bool
}

// rawLegacy is a legacy service that keeps all that it gets.
type rawLegacy struct {
	t    testing.TB
	url  *url.URL
	seen chan received
	part chan string // each part of a body, as it comes

	mu   sync.Mutex
	all  []received // guarded by mu
	said string     // guarded by mu; what it answers before it has read the body
}

const rawAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-From: legacy\r\n\r\nby legacy"

func openRawLegacy(t testing.TB) *rawLegacy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &rawLegacy{t: t, url: &url.URL{Scheme: "http", Host: listener.Addr().String()}, seen: make(chan received, 4096), part: make(chan string, 1<<16)}
	var serving sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	serving.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			serving.Go(func() { l.serve(c) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l
}

func (l *rawLegacy) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		r, head, err := readHead(in)
		if err != nil {
			return
		}
		l.mu.Lock()
		early := l.said
		l.mu.Unlock()
		if early != "" {
			io.WriteString(c, early)
			return
		}
		if r.Header.Get("Expect") != "" {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		got := received{head: head, header: r.Header, length: r.ContentLength}
		var body bytes.Buffer
		for buf := make([]byte, 32<<10); err == nil; {
			var n int
			n, err = r.Body.Read(buf)
			body.Write(buf[:n])
			if n > 0 {
				l.part <- string(buf[:n])
			}
		}
		got.body, got.trailer, got.whole = body.String(), r.Trailer, err == io.EOF
		l.mu.Lock()
		l.all = append(l.all, got)
		l.mu.Unlock()
		l.seen <- got
		if !got.whole {
			return
		}
		io.WriteString(c, rawAnswer)
	}
}

// readHead reads a request up to its body, and returns its head as it came, too.
func readHead(in *bufio.Reader) (*http.Request, string, error) {
	var head bytes.Buffer
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil, "", err
		}
		head.Write(line)
	}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(head.Bytes()), in)))
	return r, head.String(), err
}

// next waits for the next request that legacy got.
func (l *rawLegacy) next() received {
	l.t.Helper()
	select {
	case got := <-l.seen:
		return got
	case <-time.After(patience):
		l.t.Fatal("legacy gets nothing")
		panic("unreachable")
	}
}

// awaitPart waits for the next part of a body.
func (l *rawLegacy) awaitPart() string {
	l.t.Helper()
	select {
	case part := <-l.part:
		return part
	case <-time.After(patience):
		l.t.Fatal("legacy gets no part of a body")
		panic("unreachable")
	}
}

// forwarding puts the door in front of this legacy service, by the real forwarder.
func (l *rawLegacy) forwarding(s *setup) {
	f, err := legacy.New(legacy.Config{URL: l.url, MaxIdle: 8, PreserveHost: true})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(f.Close)
	s.Legacy = f
}
