package legacy_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/legacy"
	"sluice/rollout"
)

// truncated fails the test unless Forward saw the answer break off.
func (g *gateway) truncated() {
	g.t.Helper()
	e := g.end()
	if e.err != nil || e.result.Outcome != rollout.OutcomeTruncated || e.result.Err == nil {
		g.t.Fatalf("Forward: %+v, %v, want a truncated answer", e.result, e.err)
	}
}

var cutAnswers = map[string]string{
	"length, nothing came":    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
	"length, half came":       "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
	"length, most of a lot":   "HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n" + strings.Repeat("x", 300000),
	"chunks, nothing came":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"chunks, in a size":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nff",
	"chunks, in a chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf",
	"chunks, between two":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
	"chunks, before the end":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
	"chunks, in the trailer":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nhalf\r\n0\r\nX-Su",
	"chunks, one that is bad": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n0\r\n\r\n",
}

// TestTruncatedAnswerIsNeverWhole at the client: not if the caller aborts, as
// it must, and not if it forgets to.
func TestTruncatedAnswerIsNeverWhole(t *testing.T) {
	for name, answer := range cutAnswers {
		for _, careless := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "/abort", true: "/careless"}[careless], func(t *testing.T) {
				service := openRaw(t, func(c *rawConn) {
					if _, ok := c.read(); ok {
						c.write(answer)
					}
				})
				g := openGateway(t, service.url, gatewayConfig{careless: careless})
				c := g.dial()
				c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
				response, err := http.ReadResponse(c.in, nil)
				g.truncated()
				if err != nil {
					return // cut before the head: the client knows
				}
				if got := readReply(response); got.err == nil {
					t.Errorf("the client got a whole %d with %q", response.StatusCode, got.body)
				}
			})
		}
	}
}

// TestWhatCameBeforeTheCutArrives, and the head if nothing else came.
func TestWhatCameBeforeTheCutArrives(t *testing.T) {
	for name, answer := range cutAnswers {
		t.Run(name, func(t *testing.T) {
			service := openRaw(t, func(c *rawConn) {
				if _, ok := c.read(); ok {
					c.write(answer)
				}
			})
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
			got := readReply(c.head(http.MethodGet))
			g.truncated()
			want := "half"
			switch name {
			case "length, nothing came", "chunks, nothing came":
				want = ""
			case "length, most of a lot":
				want = strings.Repeat("x", 300000)
			}
			if got.body != want || got.err == nil {
				t.Errorf("the client got %d bytes, %v, want %d and a cut", len(got.body), got.err, len(want))
			}
		})
	}
}

// TestResetEndsAnAnswerOfOldLegacyAsTruncated: only a proper end of the
// connection ends an answer of unknown length.
func TestResetEndsAnAnswerOfOldLegacyAsTruncated(t *testing.T) {
	got := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write("HTTP/1.0 200 OK\r\n\r\nhalf")
			c.await(got) // a reset would overtake what is on its way
			c.reset()
		}
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
	response := c.head(http.MethodGet)
	response.Body.Read(make([]byte, 4))
	close(got)
	g.truncated()
	if got := readReply(response); got.err == nil {
		t.Error("the client got a whole answer")
	}
}

// TestLimitInMidAnswerTruncates: the end of the caller's context is not the
// client's leaving.
func TestLimitInMidAnswerTruncates(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
			c.in.ReadByte() // until the gateway hangs up
		}
	})
	g := openGateway(t, service.url, gatewayConfig{limit: 500 * time.Millisecond})
	c := g.dial()
	c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
	if got := readReply(c.head(http.MethodGet)); got.err == nil || got.body != "half" {
		t.Errorf("the client got %q, %v", got.body, got.err)
	}
	g.truncated()
}

// TestClientThatLeavesIsNotTruncation, whether legacy is sending or thinking;
// and legacy is told, though the caller's context goes on: nobody reads.
func TestClientThatLeavesIsNotTruncation(t *testing.T) {
	for name, step := range map[string]func(c *rawConn) error{
		"legacy sends": func(c *rawConn) error {
			_, err := c.Write([]byte("4000\r\n" + strings.Repeat("x", 0x4000) + "\r\n"))
			return err
		},
		"legacy thinks": func(c *rawConn) error {
			_, err := c.in.ReadByte()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan error, 1)
			service := openRaw(t, func(c *rawConn) {
				if _, ok := c.read(); !ok {
					return
				}
				c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
				var err error
				for err == nil {
					err = step(c)
				}
				told <- err
			})
			g := openGateway(t, service.url, gatewayConfig{detached: true})
			c := g.dial()
			c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
			c.head(http.MethodGet)
			c.Close()
			if e := g.end(); e.err != nil || e.result.Outcome != rollout.OutcomeCanceled || e.result.Status != 200 || e.result.Err == nil {
				t.Errorf("Forward: %+v, %v", e.result, e.err)
			}
			if err := <-told; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("legacy was not told: %v", err)
			}
		})
	}
}

// TestClientThatLeavesBeforeTheAnswer: the request was written, so nothing is
// proved.
func TestClientThatLeavesBeforeTheAnswer(t *testing.T) {
	arrived := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		c.read()
		close(arrived)
		c.in.ReadByte()
	})
	g := openGateway(t, service.url, gatewayConfig{buffered: true})
	c := g.dial()
	c.send(postClose)
	<-arrived
	c.Close()
	g.failed(legacy.ErrBroken)
}
