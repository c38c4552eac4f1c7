package framing_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/router/framing"
)

func TestExpectContinue(t *testing.T) {
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	for _, body := range []struct{ field, raw string }{
		{"Content-Length: 4", "body"},
		{"Transfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n"},
	} {
		c.send("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" + body.field + "\r\n\r\n")
		line, err := c.in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
			t.Fatalf("before the body: %q, %v; want 100", line, err)
		}
		c.in.ReadString('\n')
		c.send(body.raw)
		c.wantAnswer(200, "/e 4")
	}
	c.send("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
	c.in.ReadString('\n')
	c.in.ReadString('\n')
	c.send("4\nbody\r\n0\r\n\r\n" + smuggled)
	c.wantAnswer(400, "body\n")
	c.wantClosed()
}

// The handler gets body bytes while the client is still sending.
func TestBodyArrivesAsItIsSent(t *testing.T) {
	got := make(chan string)
	d := openDoor(t, doorConfig{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 64)
		for {
			n, err := r.Body.Read(piece)
			if n > 0 {
				got <- string(piece[:n])
			}
			if err != nil {
				return
			}
		}
	})})
	c := d.dial(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n")
	for _, piece := range []string{"ab", "cd", "ef"} {
		c.send(piece)
		if s := <-got; s != piece {
			t.Fatalf("got %q, want %q", s, piece)
		}
	}
	c.wantAnswer(200, "")
}

func TestClientStopsInMidBody(t *testing.T) {
	for _, raw := range []string{
		"Content-Length: 10\r\n\r\nhalf",
		"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"Transfer-Encoding: chunked\r\n\r\na\r\nhalf",
	} {
		d := openDoor(t, doorConfig{})
		c := d.dial(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\n" + raw)
		c.Conn.(*net.TCPConn).CloseWrite()
		c.wantAnswer(400, "body\n")
		c.wantClosed()
		d.mu.Lock()
		if len(d.requests) != 1 || !errors.Is(d.requests[0].err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: the handler saw %+v", raw, d.requests)
		}
		d.mu.Unlock()
		if got := d.refusals(); len(got) > 0 {
			t.Errorf("%q: counted as %q", raw, got)
		}
	}
}

// The answer reaches a client that is still sending: the connection is not reset.
func TestAnswerReachesSendingClient(t *testing.T) {
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	go io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat("a", 2000000))
	time.Sleep(50 * time.Millisecond) // let the unread bytes pile up
	c.wantAnswer(400, "400 Bad Request")
}

func TestServerAnswers431First(t *testing.T) {
	const limit = 8 << 10
	d := openDoor(t, doorConfig{
		limits: framing.Limits{MaxHeaderBytes: limit},
		tune:   func(s *http.Server) { s.MaxHeaderBytes = limit },
	})
	for _, get := range []string{"", "GET /before HTTP/1.1\r\nHost: a\r\n\r\n"} {
		c := d.dial(t)
		c.send(get + "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 20) + "\r\n")
		if get != "" {
			c.wantAnswer(200, "/before 0")
		}
		c.wantAnswer(431, "")
	}
	if got := d.refusals(); len(got) > 0 {
		t.Errorf("refused here: %q", got)
	}
}

// A trickled head meets net/http's ReadHeaderTimeout, which starts with the first
// byte, and not its far longer IdleTimeout.
func TestTrickledHeadTimesOut(t *testing.T) {
	var ends []string
	for _, plain := range []bool{true, false} {
		d := openDoor(t, doorConfig{plain: plain, tune: func(s *http.Server) {
			s.ReadHeaderTimeout = 100 * time.Millisecond
			s.IdleTimeout = time.Hour
		}})
		c := d.dial(t)
		c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
		c.wantAnswer(200, "/1 0")
		c.send("GET /2 HT")
		rest, err := io.ReadAll(c.in)
		if err != nil {
			t.Fatalf("plain %v: %v, want the server to hang up", plain, err)
		}
		ends = append(ends, string(rest))
	}
	if ends[0] != ends[1] {
		t.Errorf("net/http ends with %q, framed with %q", ends[0], ends[1])
	}
}

// framedPipe is a framed connection without a server.
func framedPipe(t *testing.T) (client net.Conn, framed *framing.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	client, err = net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := framing.NewListener(inner, framing.Limits{}).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); conn.Close() })
	return client, conn.(*framing.Conn)
}

// A deadline interrupts Read anywhere in a message, as net/http does to stop its
// background read, and the next Read goes on from there.
func TestDeadlineKeepsTheState(t *testing.T) {
	client, framed := framedPipe(t)
	good := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nX-A: b\r\n\r\n"
	raw := good + "GET / HTTP/1.1\n"
	probe, p := framing.NewProbe(1<<20), make([]byte, 512)
	want, got := "", ""
	for i := range len(raw) - 1 {
		framed.SetReadDeadline(time.Unix(1, 0))
		if n, err := framed.Read(p); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("byte %d: %d, %v; want a timeout", i, n, err)
		}
		framed.SetReadDeadline(time.Time{})
		io.WriteString(client, raw[i:i+1])
		handed, _ := probe.Scan([]byte(raw[i : i+1]))
		for want += string(handed); len(got) < len(want); {
			n, err := framed.Read(p)
			if got += string(p[:n]); err != nil || !strings.HasPrefix(want, got) {
				t.Fatalf("byte %d: %q, %v; want %q", i, got, err, want)
			}
		}
	}
	io.WriteString(client, raw[len(raw)-1:])
	if rest, err := io.ReadAll(framed); err != framing.ErrRefused {
		t.Errorf("after the bare LF: %q, %v", rest, err)
	}
}

// upgrade answers 101 and echoes everything.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	io.Copy(conn, rw)
}

// After Hijack the bytes are the handler's, whatever they are, and none is lost.
func TestUpgrade(t *testing.T) {
	for _, request := range []string{
		"GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
	} {
		for _, early := range []int{0, 1, 5, 3000, 6000, 28000} {
			wantEcho(t, request, early)
		}
	}
}

// wantEcho sends a request and, without waiting for the answer, the first bytes
// of what belongs to the other protocol.
func wantEcho(t *testing.T, request string, early int) {
	t.Helper()
	frames := "\x82\x05\nnot\r\nHTTP\x00\n" + strings.Repeat("\n\x00long ", 4000)
	d := openDoor(t, doorConfig{handler: http.HandlerFunc(upgrade)})
	c := d.dial(t)
	c.send(request + frames[:early])
	if resp, err := http.ReadResponse(c.in, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("answer %v, %v", resp, err)
	}
	go func() {
		io.WriteString(c, frames[early:])
		c.Conn.(*net.TCPConn).CloseWrite()
	}()
	echo, err := io.ReadAll(c.in)
	if err != nil || string(echo) != frames {
		t.Errorf("%d early bytes: %d of %d came back, %v", early, len(echo), len(frames), err)
	}
	if got := d.refusals(); len(got) > 0 {
		t.Errorf("%d early bytes: refused %q", early, got)
	}
}

// An upgrade that the handler declines leaves the connection to HTTP, still checked.
func TestDeclinedUpgrade(t *testing.T) {
	const request = "GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	c.send(request + request + "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + request + refusedRows[0].raw + smuggled)
	c.wantAnswer(200, "/u 0")
	c.wantAnswer(200, "/u 0")
	c.wantAnswer(200, "/1 0")
	c.wantAnswer(200, "/u 0")
	c.wantAnswer(400, "400 Bad Request")
	c.wantClosed()
	if got := d.refusals(); !slices.Equal(got, []string{"cl_and_te"}) {
		t.Errorf("reasons %q", got)
	}
}

func TestReleaseDoesNotReviveRefused(t *testing.T) {
	client, framed := framedPipe(t)
	io.WriteString(client, "GET / HTTP/1.1\n\n"+smuggled)
	if _, err := io.ReadAll(framed); err != framing.ErrRefused {
		t.Fatalf("%v, want ErrRefused", err)
	}
	framed.Release()
	if n, err := framed.Read(make([]byte, 64)); n != 0 || err != framing.ErrRefused {
		t.Errorf("after Release: %d, %v; want ErrRefused", n, err)
	}
}

// Files go out through ReadFrom.
func TestServeFile(t *testing.T) {
	path := t.TempDir() + "/file"
	content := strings.Repeat("0123456789", 50_000)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDoor(t, doorConfig{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })})
	c := d.dial(t)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.wantAnswer(200, content)
}

// A client of net/http itself, with bodies of both framings and connections that
// are used again.
func TestRealClient(t *testing.T) {
	d := openDoor(t, doorConfig{})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for i := range 50 {
		body := io.Reader(strings.NewReader(strings.Repeat("x", i*997)))
		if i%2 == 1 {
			body = bufio.NewReader(body) // of unknown length: chunked
		}
		resp, err := (&http.Client{Transport: transport}).Post("http://"+d.addr+"/", "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if got := d.forwarded(); resp.StatusCode != 200 || len(got[i].body) != i*997 {
			t.Fatalf("post %d: %d, %d bytes", i, resp.StatusCode, len(got[i].body))
		}
	}
}
