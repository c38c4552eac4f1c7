package legacy_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// dropsEverySecond answers the first request of each connection and hangs up on
// the second, which it has read: what a transport takes for a stale connection.
func dropsEverySecond(c *rawConn) {
	if _, ok := c.read(); ok {
		c.write(answerOK)
		c.read()
	}
}

// executions posts one by one and counts how often legacy got each, how many
// the client saw succeed.
func executions(t *testing.T, g *gateway, service *rawLegacy, posts int, request func(n int) string) (times map[string]int, succeeded int) {
	t.Helper()
	c := g.dial()
	for n := range posts {
		c.send(request(n))
		if c.answer(http.MethodPost).StatusCode == http.StatusOK {
			succeeded++
		}
	}
	times = make(map[string]int)
	for _, h := range service.requests() {
		times[h.Header.Get("Idempotency-Key")+h.Header.Get("X-Idempotency-Key")]++
	}
	return times, succeeded
}

// TestKeyIsNoLeaveToReplay: http.Transport takes an Idempotency-Key as leave to
// send a request again when a kept connection breaks. That made 79 executions
// of 40 posts. Here it is one each.
func TestKeyIsNoLeaveToReplay(t *testing.T) {
	const posts = 40
	for name, request := range map[string]func(n int) string{
		"with a body": func(n int) string {
			return fmt.Sprintf("POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k%d\r\nContent-Length: 5\r\n\r\nhello", n)
		},
		"chunked": func(n int) string {
			return fmt.Sprintf("POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k%d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", n)
		},
		"without a body": func(n int) string {
			return fmt.Sprintf("POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k%d\r\nContent-Length: 0\r\n\r\n", n)
		},
		"the other name": func(n int) string {
			return fmt.Sprintf("DELETE /x HTTP/1.1\r\nHost: front.test\r\nX-Idempotency-Key: k%d\r\n\r\n", n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, buffered bool) {
				service := openRaw(t, dropsEverySecond)
				g := openGateway(t, service.url, gatewayConfig{buffered: buffered})
				times, succeeded := executions(t, g, service, posts, request)
				if len(times) != posts {
					t.Errorf("legacy got %d of %d posts", len(times), posts)
				}
				for key, n := range times {
					if n != 1 {
						t.Errorf("post %q was executed %d times", key, n)
					}
				}
				if succeeded != posts/2 {
					t.Errorf("%d posts succeeded, want every second one", succeeded)
				}
				for range posts / 2 {
					g.ok()
					g.broken()
				}
			})
		})
	}
}

// TestKeyReachesLegacy in spite of the disguise that keeps it from the
// transport; names have no letter case.
func TestKeyReachesLegacy(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, gatewayConfig{buffered: true})
	g.exchange(strings.Replace(postClose, "Idempotency-Key: k1", "Idempotency-Key: k1\r\nX-Idempotency-Key: k2\r\nX-Idempotency-Key: k3", 1))
	g.ok()
	h := service.only(t).Header
	if h.Get("Idempotency-Key") != "k1" || fmt.Sprint(h["X-Idempotency-Key"]) != "[k2 k3]" {
		t.Errorf("legacy got %v", h)
	}
}

// TestSafeRequestGoesOutAgain: the one exception, RFC 9110, 9.2.2.
func TestSafeRequestGoesOutAgain(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
		service := openRaw(t, func(c *rawConn) {
			if _, ok := c.read(); ok {
				c.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				c.read()
			}
		})
		g := openGateway(t, service.url, gatewayConfig{})
		c := g.dial()
		for range 3 {
			c.send(method + " /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
			response := c.head(method)
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", method, response.StatusCode)
			}
			readReply(response)
			g.ok()
		}
		if n := len(service.requests()); n != 5 { // one of three was kept whole, two were repeated
			t.Errorf("%s: legacy got %d requests, want 5", method, n)
		}
	}
}

// TestSafeRequestThatFailsTwiceIsNotRefused: something had been written to the
// first connection, whatever became of the second.
func TestSafeRequestThatFailsTwiceIsNotRefused(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		c.read()
		c.write(answerOK)
		c.service.listener.Close()
		c.read()
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	for _, want := range []int{http.StatusOK, http.StatusBadGateway} {
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
		if got := c.answer(http.MethodGet); got.StatusCode != want {
			t.Errorf("got %d, want %d", got.StatusCode, want)
		}
	}
	g.ok()
	g.broken()
}

// TestSafeRequestThatGoesOutAgainToNobodyIsNotRefused: of the kept connection
// that was tried last nothing was written, of the one before it was.
func TestSafeRequestThatGoesOutAgainToNobodyIsNotRefused(t *testing.T) {
	var arrived sync.WaitGroup
	arrived.Add(2)
	service := openRaw(t, func(c *rawConn) {
		c.read()
		if c.n <= 2 { // so that each has a connection of its own
			arrived.Done()
			arrived.Wait()
		}
		c.write(answerOK)
		c.read()
	})
	g := openGateway(t, service.url, gatewayConfig{})
	var failures atomic.Int32
	g.forwarder.WrapConns(func(conn net.Conn) net.Conn {
		return &staleConn{Conn: conn, err: syscall.EPIPE, amount: func(whole int) int {
			if failures.Add(1) == 1 {
				return whole
			}
			return 0
		}}
	})
	clients := []*client{g.dial(), g.dial()}
	for _, c := range clients {
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
	}
	for _, c := range clients {
		c.answer(http.MethodGet)
		g.ok()
	}
	service.listener.Close()
	clients[0].send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
	clients[0].answer(http.MethodGet)
	g.broken()
	if n := failures.Load(); n != 2 {
		t.Errorf("%d connections were tried, want 2", n)
	}
}
