package router_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
)

func framed(s *setup) { s.framed = true }

const chunkedHead = " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

// brokenChunks are bodies that no two servers read alike.
var brokenChunks = map[string]string{
	"underscore":       "1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
	"hex prefix":       "0x5\r\nhello\r\n0\r\n\r\n",
	"plus":             "+5\r\nhello\r\n0\r\n\r\n",
	"minus":            "-1\r\nhello\r\n0\r\n\r\n",
	"blank":            " 5\r\nhello\r\n0\r\n\r\n",
	"no CRLF":          "5\r\nhello0\r\n\r\n",
	"bare CR":          "5\rhello\r\n0\r\n\r\n",
	"bare LF":          "5\nhello\r\n0\r\n\r\n",
	"overflow":         "FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n",
	"framing trailer":  "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
	"long chunk line":  "5;" + strings.Repeat("a", 5000) + "\r\nhello\r\n0\r\n\r\n",
	"in a later chunk": "5\r\nhello\r\n5\r\nhello!\r\n0\r\n\r\n",
}

// A fault in a body that has come with its head is the client's, and legacy hears
// nothing of the request, on a route or beside it.
func TestBrokenBodyIsTheClients(t *testing.T) {
	for name, body := range brokenChunks {
		for _, line := range []string{"PUT /other", "POST /v1/documents"} {
			t.Run(name+" "+line, func(t *testing.T) {
				d := openDoor(t, framed, func(s *setup) { s.Arrival = patience }) // on a busy machine too
				c := d.dial()
				c.send(line + chunkedHead + body + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
				got := c.answer()
				got.wantProblem(t, http.StatusBadRequest, "body", "")
				c.wantClosed()
				if record := d.observer.next(); record.Sent || record.Result.Outcome != rollout.OutcomeInvalid || record.Result.Status != 400 || record.Result.BytesOut != int64(len(got.body)) {
					t.Errorf("record %+v", record)
				}
				if n := d.legacy.calls(); n > 0 {
					t.Errorf("legacy was told of %d requests", n)
				}
			})
		}
	}
}

// What comes later cannot be known before, but is the client's all the same.
func TestBodyThatBreaksLater(t *testing.T) {
	for name, end := range map[string]func(c *conn){
		"a fault":           func(c *conn) { c.send("5 \r\nhello\r\n0\r\n\r\n") },
		"the end of stream": func(c *conn) { c.Conn.(*net.TCPConn).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, framed)
			c := d.dial()
			c.send("PUT /other" + chunkedHead + "5\r\nhello\r\n")
			for d.legacy.calls() == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			end(c)
			c.answer().wantProblem(t, http.StatusBadRequest, "body", "")
			c.wantClosed()
			if record := d.observer.next(); !record.Sent || record.Result.Outcome != rollout.OutcomeInvalid || record.Result.Status != 400 {
				t.Errorf("record %+v", record)
			}
			if got := d.legacy.all(); len(got) > 0 {
				t.Errorf("legacy got %+v", got)
			}
		})
	}
}

func TestLengthCutShort(t *testing.T) {
	for _, head := range []string{" HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", chunkedHead + "a\r\n"} {
		d := openDoor(t, framed)
		c := d.dial()
		c.send("PUT /other" + head + "hello")
		c.Conn.(*net.TCPConn).CloseWrite()
		c.answer().wantProblem(t, http.StatusBadRequest, "body", "")
		if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeInvalid {
			t.Errorf("record %+v", record)
		}
		if got := d.legacy.all(); len(got) > 0 {
			t.Errorf("legacy got %+v", got)
		}
	}
}

// A request that is whole is served, however broken the one behind it is.
func TestWholeRequestBeforeABrokenOne(t *testing.T) {
	d := openDoor(t, framed)
	c := d.dial()
	c.send("PUT /1" + chunkedHead + "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n" + "PUT /2" + chunkedHead + "zz\r\n")
	c.answer().want(t, http.StatusOK, "by legacy")
	c.answer().wantProblem(t, http.StatusBadRequest, "body", "")
	c.wantClosed()
	if got := d.legacy.all(); len(got) != 1 || got[0].target != "/1" || got[0].body != "hello" || got[0].trailer.Get("X-Sum") != "7" {
		t.Errorf("legacy got %+v", got)
	}
}

// Trailers reach both paths to legacy, announced or not, up to the head's limit.
func TestRequestTrailersThroughTheRouter(t *testing.T) {
	long := strings.Repeat("x", 20_000)
	for name, trailer := range map[string]string{"short": "7", "long": long} {
		for _, head := range []string{"", "Trailer: X-Sum\r\n"} {
			for _, line := range []string{"PUT /other", "POST /v1/documents"} {
				t.Run(name+" "+head+line, func(t *testing.T) {
					d := openDoor(t, framed)
					c := d.dial()
					for range 2 {
						c.send(line + " HTTP/1.1\r\nHost: a\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x", len(docA)) + "\r\n" + docA + "\r\n0\r\nX-Sum: " + trailer + "\r\nX-Two: a\r\nX-Two: b\r\n\r\n")
						c.answer().want(t, http.StatusOK, "by legacy")
					}
					all := d.legacy.all()
					if len(all) != 2 {
						t.Fatalf("legacy got %d requests", len(all))
					}
					for _, got := range all {
						if got.body != docA || got.trailer.Get("X-Sum") != trailer || len(got.trailer["X-Two"]) != 2 || len(got.trailer) != 2 {
							t.Errorf("legacy got %q with the trailer %.200v", got.body, got.trailer)
						}
					}
				})
			}
		}
	}
}
