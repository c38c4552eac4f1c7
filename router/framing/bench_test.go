package framing_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/router/framing"
)

// typicalRequest has a head of about 600 bytes and a body of 200.
var typicalRequest = "POST /v1/documents?tenant=acme HTTP/1.1\r\n" +
	"Host: ingest.example.com\r\n" +
	"User-Agent: ingestion-client/4.2.1 (linux; amd64)\r\n" +
	"Accept: application/json\r\n" +
	"Accept-Encoding: gzip, deflate\r\n" +
	"Authorization: Bearer " + strings.Repeat("eyJhbGciOi", 16) + "\r\n" +
	"Content-Type: application/json\r\n" +
	"Content-Length: 200\r\n" +
	"Idempotency-Key: 5a0c2f6e-6f3e-4f55-9f0e-0d6a2a0f8d11\r\n" +
	"Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n" +
	"X-Request-Id: 01J9ZC3Q8K6W7X2V5B4N1M0PQR\r\n" +
	"Connection: keep-alive\r\n\r\n" + strings.Repeat("x", 200)

// BenchmarkFramer: scan is the framer alone on one typical request. post is one
// keep-alive POST through net/http over loopback with and without the framer,
// in turns within one run; the ratio is framed over plain.
func BenchmarkFramer(b *testing.B) {
	b.Run("scan", func(b *testing.B) {
		request := []byte(typicalRequest)
		probe := framing.NewProbe(1 << 20)
		b.SetBytes(int64(len(request)))
		b.ReportAllocs()
		for b.Loop() {
			if handed, why := probe.Scan(request); len(handed) != len(request) || why != "" {
				b.Fatal(handed, why)
			}
		}
	})
	b.Run("read", benchmarkRead)
	b.Run("post", benchmarkPost)
}

// benchmarkRead is Read of a typical request from a connection that costs nothing.
func benchmarkRead(b *testing.B) {
	source := &pieces{size: 4096}
	conn, err := framing.NewListener(acceptor{source}, framing.Limits{}).Accept()
	if err != nil {
		b.Fatal(err)
	}
	request := []byte(typicalRequest)
	p := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		source.stream = request
		if n, err := conn.Read(p); n != len(request) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func benchmarkPost(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	plain := startPosting(b, doorConfig{plain: true, handler: handler})
	framed := startPosting(b, doorConfig{handler: handler})
	const batch = 50
	var plainTime, framedTime time.Duration
	posts := 0
	for b.Loop() {
		plainTime += plain.post(batch)
		framedTime += framed.post(batch)
		posts += batch
	}
	b.ReportMetric(float64(plainTime.Nanoseconds())/float64(posts), "plain-ns/post")
	b.ReportMetric(float64(framedTime.Nanoseconds())/float64(posts), "framed-ns/post")
	b.ReportMetric(float64(framedTime)/float64(plainTime), "framed/plain")
}

// poster posts the typical request over one connection, again and again.
type poster struct {
	b    *testing.B
	conn net.Conn
	in   *bufio.Reader
}

func startPosting(b *testing.B, cfg doorConfig) *poster {
	c := openDoor(b, cfg).dial(b)
	c.SetDeadline(time.Time{})
	return &poster{b: b, conn: c.Conn, in: c.in}
}

func (p *poster) post(n int) time.Duration {
	start := time.Now()
	for range n {
		if _, err := io.WriteString(p.conn, typicalRequest); err != nil {
			p.b.Fatal(err)
		}
		if err := p.skipAnswer(); err != nil {
			p.b.Fatal(err)
		}
	}
	return time.Since(start)
}

// skipAnswer reads an answer without a body, at next to no cost.
func (p *poster) skipAnswer() error {
	line, err := p.in.ReadSlice('\n')
	if err == nil && !strings.HasPrefix(string(line), "HTTP/1.1 200") {
		err = fmt.Errorf("answer %q", line)
	}
	for err == nil && len(line) > 2 {
		line, err = p.in.ReadSlice('\n')
	}
	return err
}
