package legacy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"

// TestInterimAnswersReachTheClient before the final one, with their own fields
// and nobody else's.
func TestInterimAnswersReachTheClient(t *testing.T) {
	next := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write("HTTP/1.1 102 Processing\r\n\r\n" + hints)
			c.await(next)
			c.write("HTTP/1.1 200 OK\r\nX-Final: 1\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	g := openGateway(t, service.url, gatewayConfig{own: http.Header{"Rollout-Path": {"legacy"}}})
	c := g.dial()
	c.send(getClose)
	c.expect("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
	close(next)
	raw := c.rest()
	_, fields, body := lines(raw)
	if got := strings.Join(fields, "|"); got != "Connection: close|Content-Length: 2|Rollout-Path: legacy|X-Final: 1" || body != "ok" {
		t.Errorf("the final answer is %q", raw)
	}
	g.ok()
}

// TestInterimAnswerBesideAnUpload: hints and the 100 share the client's
// connection with the body.
func TestInterimAnswerBesideAnUpload(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		h, ok := c.readHead()
		if !ok {
			return
		}
		c.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")
		io.Copy(io.Discard, h.Body)
		c.write(answerOK)
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send(postExpecting)
	seen := make(map[int]int)
	for seen[100] == 0 {
		seen[c.head(http.MethodPost).StatusCode]++
	}
	c.send("hello")
	for seen[200] == 0 {
		seen[c.head(http.MethodPost).StatusCode]++
	}
	if seen[100] != 1 || seen[103] != 2 || len(seen) != 3 {
		t.Errorf("got %v", seen)
	}
	g.ok()
}

// TestUnaskedContinueStaysHere: a 100 is between the gateway and legacy.
func TestUnaskedContinueStaysHere(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 100 Continue\r\n\r\n"+answerOK))
	bothWays(t, func(t *testing.T, buffered bool) {
		g := openGateway(t, service.url, gatewayConfig{buffered: buffered})
		if got := g.exchange(postClose); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("got %q", got)
		}
		g.ok()
	})
}

// TestOldClientGetsNoInterimAnswer: HTTP/1.0 would take it for the final one.
func TestOldClientGetsNoInterimAnswer(t *testing.T) {
	service := openRaw(t, answering(hints+answerOK))
	g := openGateway(t, service.url, gatewayConfig{})
	if got := g.exchange("GET /x HTTP/1.0\r\nHost: front.test\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
		t.Errorf("got %q", got)
	}
	g.ok()
}

// TestInterimAnswerIsNoAnswer: after it legacy hangs up, the gateway answers
// itself, without the hint's fields.
func TestInterimAnswerIsNoAnswer(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write(hints)
		}
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send(postClose)
	if got := c.head(http.MethodPost); got.StatusCode != http.StatusEarlyHints {
		t.Errorf("got %d", got.StatusCode)
	}
	if got := c.answer(http.MethodPost); got.StatusCode != http.StatusBadGateway || got.Header.Get("Link") != "" {
		t.Errorf("got %d %v", got.StatusCode, got.Header)
	}
	g.broken()
}
