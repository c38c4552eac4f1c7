package legacy_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/legacy"
	"sluice/rollout"
)

// refused fails the test unless Forward proves that nothing was written.
func (g *gateway) refused() {
	g.t.Helper()
	if e := g.end(); !errors.Is(e.err, rollout.ErrNotAccepted) || !errors.Is(e.err, legacy.ErrUnreachable) {
		g.t.Fatalf("Forward: %v, want ErrNotAccepted and ErrUnreachable", e.err)
	}
}

// failed fails the test unless Forward failed with want and without the proof.
func (g *gateway) failed(want error) {
	g.t.Helper()
	e := g.end()
	if !errors.Is(e.err, want) {
		g.t.Fatalf("Forward: %v, want %v", e.err, want)
	}
	if errors.Is(e.err, rollout.ErrNotAccepted) || errors.Is(e.err, legacy.ErrUnreachable) {
		g.t.Fatalf("Forward claims that nothing was written: %v", e.err)
	}
}

func (g *gateway) broken() { g.t.Helper(); g.failed(legacy.ErrBroken) }

// postClose is a POST with a key that the transport must not take as leave.
const postClose = "POST /x HTTP/1.1\r\nHost: front.test\r\nIdempotency-Key: k1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

// bothWays runs the test with a body that is streamed and one that has been read.
func bothWays(t *testing.T, test func(t *testing.T, buffered bool)) {
	t.Run("streamed", func(t *testing.T) { test(t, false) })
	t.Run("buffered", func(t *testing.T) { test(t, true) })
}

// closedPort returns an address where nobody listens, nor can during the test.
func closedPort(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

func TestRefusedDialIsNotAccepted(t *testing.T) {
	bothWays(t, func(t *testing.T, buffered bool) {
		g := openGateway(t, "http://"+closedPort(t), gatewayConfig{buffered: buffered})
		if got := g.exchange(postClose); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("got %q", got)
		}
		g.refused()
	})
}

// TestFailedTLSIsNotAccepted: a handshake is not a part of a request.
func TestFailedTLSIsNotAccepted(t *testing.T) {
	plain := openRaw(t, func(c *rawConn) {
		c.in.Peek(1) // the ClientHello
		c.write("HTTP/1.1 400 Bad Request\r\n\r\n")
	})
	silent := openRaw(t, func(c *rawConn) { c.in.ReadByte(); c.reset() })
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = quiet
	unknown.StartTLS()
	defer unknown.Close()
	for name, url := range map[string]string{
		"not TLS": strings.Replace(plain.url, "http:", "https:", 1),
		"reset":   strings.Replace(silent.url, "http:", "https:", 1),
		"unknown": unknown.URL,
	} {
		t.Run(name, func(t *testing.T) {
			g := openGateway(t, url, gatewayConfig{buffered: true})
			g.exchange(postClose)
			g.refused()
		})
	}
}

// TestHandshakeTimeoutIsNotAccepted: the dial timeout covers TLS.
func TestHandshakeTimeoutIsNotAccepted(t *testing.T) {
	ended := make(chan error, 1)
	hang := openRaw(t, func(c *rawConn) {
		_, err := c.in.Discard(1 << 20)
		ended <- err
	})
	g := openGateway(t, strings.Replace(hang.url, "http:", "https:", 1),
		gatewayConfig{Config: legacy.Config{DialTimeout: 30 * time.Millisecond}, buffered: true})
	g.exchange(postClose)
	g.refused()
	if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("it was legacy that gave up")
	}
}

// TestReadAndClosedIsNotRefused: legacy may have done the work.
func TestReadAndClosedIsNotRefused(t *testing.T) {
	for _, reset := range []bool{false, true} {
		bothWays(t, func(t *testing.T, buffered bool) {
			service := openRaw(t, func(c *rawConn) {
				c.read()
				if reset {
					c.reset()
				}
			})
			g := openGateway(t, service.url, gatewayConfig{buffered: buffered})
			if got := g.exchange(postClose); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
				t.Errorf("got %q", got)
			}
			g.broken()
			service.only(t)
		})
	}
}

// TestReadAndClosedOverTLSIsNotRefused: below TLS nothing can be counted, above
// it all that was handed over counts.
func TestReadAndClosedOverTLSIsNotRefused(t *testing.T) {
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	service.Config.ErrorLog = quiet
	service.StartTLS()
	defer service.Close()
	roots := service.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	bothWays(t, func(t *testing.T, buffered bool) {
		g := openGateway(t, service.URL, gatewayConfig{Config: legacy.Config{TLS: &tls.Config{RootCAs: roots}}, buffered: buffered})
		g.exchange(postClose)
		g.broken()
	})
}

// TestHalfAHeadIsNoAnswer nor proof of anything.
func TestHalfAHeadIsNoAnswer(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		c.read()
		c.write("HTTP/1.1 200 OK\r\nContent-Le")
	})
	g := openGateway(t, service.url, gatewayConfig{buffered: true})
	if got := g.exchange(postClose); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("got %q", got)
	}
	g.broken()
}

// TestNoAnswerInTime, by the caller's limit. Legacy's own is in client_test.go.
func TestNoAnswerInTime(t *testing.T) {
	bothWays(t, func(t *testing.T, buffered bool) {
		service := openRaw(t, func(c *rawConn) {
			c.read()
			c.in.ReadByte() // until the gateway hangs up
		})
		g := openGateway(t, service.url, gatewayConfig{limit: 300 * time.Millisecond, buffered: buffered})
		if got := g.exchange(postClose); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("got %q", got)
		}
		g.failed(legacy.ErrTimeout)
		service.only(t)
	})
}
