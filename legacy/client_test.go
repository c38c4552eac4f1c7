package legacy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/legacy"
)

// impatient is a gateway that gives up soon after a client sends no more.
func impatient(t *testing.T, service *rawLegacy, buffered bool) (*gateway, *attendance) {
	clients := &attendance{}
	return openGateway(t, service.url, gatewayConfig{
		Config:   legacy.Config{AnswerTimeout: 20 * time.Millisecond},
		buffered: buffered, detached: true, tune: clients.tune,
	}), clients
}

// TestClientThatWaitsIsWaitedFor: legacy takes many times answer_timeout to begin,
// and to read what it is sent. The pauses can only be too short to notice.
func TestClientThatWaitsIsWaitedFor(t *testing.T) {
	bothWays(t, func(t *testing.T, buffered bool) {
		service := openRaw(t, func(c *rawConn) {
			if _, ok := c.readHead(); !ok {
				return
			}
			time.Sleep(200 * time.Millisecond) // more than the buffers hold is still to be read
			c.in.Discard(8 << 20)
			time.Sleep(200 * time.Millisecond)
			c.write(answerOK)
		})
		g, _ := impatient(t, service, buffered)
		response, err := (&http.Client{Timeout: patience}).Post(g.url("/x"), "a/b", strings.NewReader(strings.Repeat("x", 8<<20)))
		if err != nil {
			t.Fatal(err)
		}
		if got := readReply(response); got.StatusCode != http.StatusOK || got.body != "ok" {
			t.Errorf("got %d %q", got.StatusCode, got.body)
		}
		g.ok()
	})
}

// TestClientThatSendsNoMoreIsWaitedForInBoundedTime, whether legacy thinks or does
// not even read. Whoever still waits is told.
func TestClientThatSendsNoMoreIsWaitedForInBoundedTime(t *testing.T) {
	for name, request := range map[string]string{
		"GET":           "GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n",
		"POST":          postKeep,
		"unread upload": "POST /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 33554432\r\n\r\n" + strings.Repeat("x", 32<<20),
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{})
			service := openRaw(t, func(c *rawConn) {
				c.readHead()
				close(arrived)
				<-c.service.stop
			})
			g, clients := impatient(t, service, false)
			c := g.dial()
			go c.Write([]byte(request))
			<-arrived
			clients.each(func(c *attended) { c.end() })
			if got := c.head(http.MethodGet); got.StatusCode != http.StatusBadGateway {
				t.Errorf("got %d", got.StatusCode)
			}
			g.failed(legacy.ErrTimeout)
		})
	}
}

// TestAnswerThatHasBegunIsNotGivenUp, though its client sends no more.
func TestAnswerThatHasBegunIsNotGivenUp(t *testing.T) {
	begun := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
			<-begun
			time.Sleep(100 * time.Millisecond)
			c.write("rest")
		}
	})
	g, clients := impatient(t, service, true)
	c := g.dial()
	c.send(postKeep)
	response := c.head(http.MethodPost)
	clients.each(func(c *attended) { c.end() })
	close(begun)
	if got := readReply(response); got.err != nil || got.body != "halfrest" {
		t.Errorf("got %q, %v", got.body, got.err)
	}
	g.ok()
}
