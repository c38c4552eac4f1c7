package legacy_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/legacy"
	"sluice/rollout"
)

// staleConn brings one answer; then the next write fails, after an
// amount of it was written, as it does on a connection that legacy has reset.
type staleConn struct {
	net.Conn
	amount   func(whole int) int
	err      error
	answered atomic.Bool
}

func (c *staleConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.answered.Store(true)
	}
	return n, err
}

func (c *staleConn) Write(p []byte) (int, error) {
	if !c.answered.Load() {
		return c.Conn.Write(p)
	}
	n := c.amount(len(p))
	c.Conn.Write(p[:n])
	c.Conn.Close()
	return n, c.err
}

// stale makes the gateway's connections fail from their second request on.
func (g *gateway) stale(n int, err error) {
	g.forwarder.WrapConns(func(conn net.Conn) net.Conn {
		return &staleConn{Conn: conn, err: err, amount: func(int) int { return n }}
	})
}

const (
	postKeep    = "POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k1\r\nContent-Length: 5\r\n\r\nhello"
	postChunked = "POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	postBare    = "POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k1\r\nContent-Length: 0\r\n\r\n"
)

// TestStaleConnectionIsTriedAgain where nothing was written: the client notices
// nothing, legacy gets the request once. Streamed bodies once answered 502
// here, though nothing of them had been read.
func TestStaleConnectionIsTriedAgain(t *testing.T) {
	for _, test := range []struct {
		name, request string
		buffered      bool
		err           error
	}{
		{"reset", postKeep, true, syscall.ECONNRESET},
		{"pipe", postKeep, true, syscall.EPIPE},
		{"closed", postKeep, true, net.ErrClosed},
		{"reset, no body", postBare, false, syscall.ECONNRESET},
		{"closed, no body", postBare, false, net.ErrClosed},
		{"closed, streamed", postKeep, false, net.ErrClosed},
		{"closed, chunked", postChunked, false, net.ErrClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			service := openRaw(t, answering(answerOK))
			g := openGateway(t, service.url, gatewayConfig{buffered: test.buffered})
			g.stale(0, test.err)
			c := g.dial()
			for range 5 {
				c.send(test.request)
				if got := c.answer(http.MethodPost); got.StatusCode != http.StatusOK {
					t.Errorf("got %d", got.StatusCode)
				}
				g.ok()
			}
			for _, h := range service.requests() {
				if want := map[bool]string{false: "hello"}[test.request == postBare]; h.body != want {
					t.Errorf("legacy got %q", h.body)
				}
			}
			if n := len(service.requests()); n != 5 {
				t.Errorf("legacy got %d requests, want 5", n)
			}
		})
	}
}

// TestStaleConnectionWithASpentBody: nothing was written, but what was read of
// the client's body is gone. That is proof, and no leave to send the rest.
func TestStaleConnectionWithASpentBody(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, gatewayConfig{})
	g.stale(0, syscall.EPIPE)
	c := g.dial()
	c.send(postKeep)
	c.answer(http.MethodPost)
	g.ok()
	c.send(postKeep)
	if got := c.answer(http.MethodPost); got.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d", got.StatusCode)
	}
	g.refused()
	service.only(t)
}

// TestOneByteIsTooMuch: with one byte written there is no second try and no
// proof.
func TestOneByteIsTooMuch(t *testing.T) {
	for _, err := range []error{syscall.ECONNRESET, syscall.EPIPE, net.ErrClosed, io.ErrShortWrite} {
		bothWays(t, func(t *testing.T, buffered bool) {
			service := openRaw(t, answering(answerOK))
			g := openGateway(t, service.url, gatewayConfig{buffered: buffered})
			g.stale(1, err)
			c := g.dial()
			c.send(postKeep)
			c.answer(http.MethodPost)
			g.ok()
			c.send(postKeep)
			if got := c.answer(http.MethodPost); got.StatusCode != http.StatusBadGateway {
				t.Errorf("%v: got %d", err, got.StatusCode)
			}
			g.broken()
			service.only(t)
		})
	}
}

// TestFailedWriteOverTLSProvesNothing: a part of the record may be out.
func TestFailedWriteOverTLSProvesNothing(t *testing.T) {
	service := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer service.Close()
	roots := service.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	g := openGateway(t, service.URL, gatewayConfig{Config: legacy.Config{TLS: &tls.Config{RootCAs: roots}}, buffered: true})
	g.stale(0, syscall.EPIPE)
	c := g.dial()
	c.send(postKeep)
	c.answer(http.MethodPost)
	g.ok()
	c.send(postKeep)
	c.answer(http.MethodPost)
	g.broken()
}

// TestStaleConnectionsAreNotTriedForEver: a legacy that accepts and kills every
// connection is a refusal, after a few.
func TestStaleConnectionsAreNotTriedForEver(t *testing.T) {
	const kept = 8
	var arrived sync.WaitGroup
	arrived.Add(kept)
	service := openRaw(t, func(c *rawConn) {
		c.read()
		if c.n <= kept { // so that each of them has a connection of its own
			arrived.Done()
			arrived.Wait()
		}
		c.write(answerOK)
		c.read()
	})
	g := openGateway(t, service.url, gatewayConfig{buffered: true})
	g.stale(0, syscall.EPIPE)
	var clients [kept]*client
	for i := range clients {
		clients[i] = g.dial()
		clients[i].send(postKeep)
	}
	for _, c := range clients {
		c.answer(http.MethodPost)
		g.ok()
	}
	c := g.dial()
	c.send(postKeep)
	if got := c.answer(http.MethodPost); got.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d", got.StatusCode)
	}
	g.refused()
	if n := len(service.requests()); n != kept {
		t.Errorf("legacy got %d requests more", n-kept)
	}
}

// TestClosingLegacyGetsEachPostAtMostOnce: legacy hangs up on connections that
// the gateway keeps, at any moment. Who got an answer was executed once, who
// was refused was not, and the rest at most once.
func TestClosingLegacyGetsEachPostAtMostOnce(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		if c.n%2 == 0 {
			c.reset()
		}
		for range c.n % 3 {
			if _, ok := c.read(); ok {
				c.write(answerOK)
			}
		}
		if c.n%3 == 0 {
			if _, ok := c.read(); ok {
				c.write(answerOK)
				c.read()
			}
		}
	})
	g := openGateway(t, service.url, gatewayConfig{buffered: true})
	c := g.dial()
	ends := make(map[string]end)
	for n := range 300 {
		c.send(fmt.Sprintf("POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k%d\r\nContent-Length: 5\r\n\r\nhello", n))
		c.answer(http.MethodPost)
		ends[fmt.Sprintf("k%d", n)] = g.end()
	}
	executed := make(map[string]int)
	for _, h := range service.requests() {
		executed[h.Header.Get("Idempotency-Key")]++
	}
	for key, e := range ends {
		switch n := executed[key]; {
		case n > 1, e.err == nil && n != 1, errors.Is(e.err, rollout.ErrNotAccepted) && n != 0:
			t.Errorf("%s was executed %d times and ended with %+v, %v", key, n, e.result, e.err)
		}
	}
}

// TestUnusedConnectionIsClosedInTime, before legacy does.
func TestUnusedConnectionIsClosedInTime(t *testing.T) {
	closed := make(chan error, 1)
	service := openRaw(t, func(c *rawConn) {
		c.read()
		c.write(answerOK)
		_, err := c.in.ReadByte()
		closed <- err
	})
	g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{IdleTimeout: time.Millisecond}})
	g.exchange(getClose)
	if err := <-closed; err != io.EOF {
		t.Errorf("the connection ended with %v", err)
	}
}
