package endtoend_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

// rawLegacy answers 200 to whole requests and keeps every byte that comes.
type rawLegacy struct {
	address string

	mu  sync.Mutex
	got bytes.Buffer // guarded by mu
}

func (l *rawLegacy) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.got.Write(p)
}

// take returns what has come since the last call.
func (l *rawLegacy) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.got.Reset()
	return l.got.String()
}

func openRawLegacy(t *testing.T) *rawLegacy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &rawLegacy{address: listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go l.serve(c)
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return l
}

func (l *rawLegacy) serve(c net.Conn) {
	in := bufio.NewReaderSize(io.TeeReader(c, l), 64<<10) // holds the longest trailer
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
}

// TestReading: what legacy gets, byte for byte, of requests that are read in an
// unusual way, beside the route and on it; without Temporal, at 0 %.
func TestReading(t *testing.T) {
	t.Parallel()
	legacy := openRawLegacy(t)
	dir := t.TempDir()
	config, err := configs.Load("../../../configs/gateway.yaml",
		"listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0", "data="+filepath.Join(dir, "gateway"),
		"legacy.url=http://"+legacy.address, "temporal.address=127.0.0.1:1",
		"rollout.flags.provider=env", "log.access=false", "drain.lame_duck=0s")
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Open(t.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	background(t, g.Run, g.Close)

	const document = `{"doc_id":"doc-1"}`
	long := strings.Repeat("x", 10_000)
	chunks := func(trailer string) string {
		return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n", len(document), document, trailer)
	}
	for _, row := range []struct {
		name, raw string
		status    int
		line      string   // of the request that legacy gets; empty: it gets not a byte
		holds     []string // what that request holds besides
	}{
		{"raw bytes in a target", "GET /caf\xc3\xa9/\xe9\xff?\xc3\xa9=\xff HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET /caf\xc3\xa9/\xe9\xff?\xc3\xa9=\xff HTTP/1.1", nil},
		{"raw bytes beside the route's path", "POST /v1/documents\xc3\xa9 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 200, "POST /v1/documents\xc3\xa9 HTTP/1.1", []string{"\r\n\r\nhi"}},
		{"raw bytes in a document's query", "POST /v1/documents?\xe9 HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n" + document, 200, "POST /v1/documents?\xe9 HTTP/1.1", []string{document}},
		{"an overlong slash", "GET /..\xc0\xaf HTTP/1.1\r\nHost: a\r\n\r\n", 400, "", nil},
		{"the target's port", "GET http://a:80/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET /x HTTP/1.1", []string{"\r\nHost: a:80\r\n"}},
		{"HTTP/1.0 without Host", "GET http://a/x HTTP/1.0\r\n\r\n", 200, "GET /x HTTP/1.1", []string{"\r\nHost: a\r\n"}},
		{"trailers beside the route", "PUT /other HTTP/1.1\r\nHost: a\r\n" + chunks("X-Sum: 7\r\n"), 200, "PUT /other HTTP/1.1", []string{document, "\r\n0\r\nX-Sum: 7\r\n\r\n"}},
		{"trailers on the route", "POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + chunks("X-Sum: 7\r\n"), 200, "POST /v1/documents HTTP/1.1", []string{document, "\r\n0\r\nX-Sum: 7\r\n\r\n"}},
		{"long trailers beside the route", "PUT /other HTTP/1.1\r\nHost: a\r\n" + chunks("X-Sum: "+long+"\r\n"), 200, "PUT /other HTTP/1.1", []string{"\r\n0\r\nX-Sum: " + long + "\r\n\r\n"}},
		{"long trailers on the route", "POST /v1/documents HTTP/1.1\r\nHost: a\r\n" + chunks("X-Sum: "+long+"\r\n"), 200, "POST /v1/documents HTTP/1.1", []string{"\r\n0\r\nX-Sum: " + long + "\r\n\r\n"}},
		{"another coding", "PUT /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "", nil},
		{"a fault that came with the head", "PUT /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n", 400, "", nil},
	} {
		legacy.take()
		status := exchange(t, g.PublicAddress(), row.name, row.raw)
		got := legacy.take()
		line, _, _ := strings.Cut(got, "\r\n")
		if status != row.status || line != row.line || row.line == "" && got != "" {
			t.Errorf("%s: answer %d, legacy got %.300q; want %d, %q", row.name, status, got, row.status, row.line)
		}
		for _, part := range row.holds {
			if !strings.Contains(got, part) {
				t.Errorf("%s: legacy got %.600q without %.100q", row.name, got, part)
			}
		}
	}
}

// exchange sends raw bytes on a connection of their own and returns the answer's status.
func exchange(t *testing.T, address, name, raw string) int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s: no answer: %v", name, err)
	}
	defer response.Body.Close()
	return response.StatusCode
}
