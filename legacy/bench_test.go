package legacy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/legacy"
)

var document = fmt.Sprintf("POST /v1/documents?tenant=acme HTTP/1.1\r\nHost: ingest.example.com\r\nUser-Agent: ingestion-client/4.2.1\r\n"+
	"Content-Type: application/json\r\nIdempotency-Key: 5a0c2f6e-6f3e-4f55-9f0e-0d6a2a0f8d11\r\nContent-Length: %d\r\n\r\n%s", 1024, strings.Repeat("x", 1024))

// BenchmarkPost is one POST of 1 KB and its answer over loopback on kept
// connections: to legacy itself, through the stock reverse proxy, and through
// Forward with the body read first (as for documents) and streamed. The
// sub-benchmark turns takes them by turns in one run, so that its ratios hold
// on a noisy machine; the others are for profiles and allocations.
func BenchmarkPost(b *testing.B) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"status":"ok"}`)
	}))
	b.Cleanup(service.Close)
	base, err := url.Parse(service.URL)
	if err != nil {
		b.Fatal(err)
	}
	stock := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 8},
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(base); r.SetXForwarded() },
	})
	b.Cleanup(stock.Close)
	names := []string{"direct", "stock", "sluice", "sluice-streamed"}
	posters := []*poster{
		newPoster(b, base.Host),
		newPoster(b, strings.TrimPrefix(stock.URL, "http://")),
		newPoster(b, openDoor(b, base, true)),
		newPoster(b, openDoor(b, base, false)),
	}
	for i, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				posters[i].post(1)
			}
		})
	}
	b.Run("turns", func(b *testing.B) { benchmarkTurns(b, names, posters) })
}

// benchmarkTurns reports the time of each, and that of Forward over the others'.
func benchmarkTurns(b *testing.B, names []string, posters []*poster) {
	const batch = 20
	spent := make([]time.Duration, len(posters))
	posts := 0
	for b.Loop() {
		for i, p := range posters {
			spent[i] += p.post(batch)
		}
		posts += batch
	}
	for i, name := range names {
		b.ReportMetric(float64(spent[i].Nanoseconds())/float64(posts), name+"-ns/post")
	}
	for i := 2; i < len(names); i++ {
		b.ReportMetric(float64(spent[i])/float64(spent[1]), names[i]+"/stock")
		b.ReportMetric(float64(spent[i])/float64(spent[0]), names[i]+"/direct")
	}
}

// openDoor is a server that only forwards; it returns its address.
func openDoor(b *testing.B, base *url.URL, buffered bool) string {
	forwarder, err := legacy.New(legacy.Config{URL: base, MaxIdle: 8, AnswerTimeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body []byte
		if buffered {
			body = make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, body); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if _, err := forwarder.Forward(r.Context(), w, r, body); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	b.Cleanup(func() { server.Close(); forwarder.Close() })
	return server.Listener.Addr().String()
}

// poster has a client connection of its own.
type poster struct {
	b    *testing.B
	conn net.Conn
	in   *bufio.Reader
}

func newPoster(b *testing.B, addr string) *poster {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &poster{b: b, conn: conn, in: bufio.NewReader(conn)}
}

func (p *poster) post(times int) time.Duration {
	start := time.Now()
	for range times {
		if _, err := io.WriteString(p.conn, document); err != nil {
			p.b.Fatal(err)
		}
		response, err := http.ReadResponse(p.in, nil)
		if err != nil {
			p.b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK || n == 0 {
			p.b.Fatal(response.Status, n, err)
		}
	}
	return time.Since(start)
}
