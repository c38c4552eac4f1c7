package legacy_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sluice/rollout"
)

// TestAnswerIsVerbatim: the client gets legacy's answer and not one field more:
// no Date, Content-Type, Server or Via.
func TestAnswerIsVerbatim(t *testing.T) {
	for _, test := range []struct{ name, answer, want string }{
		{"plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"},
		{"html that would be guessed",
			"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>x</html>\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<html>x</html>\n"},
		{"error with its page",
			"HTTP/1.1 503 Service Unavailable\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nRetry-After: 7\r\nServer: old/1\r\nVia: 1.1 inner\r\nContent-Type: text/x; q=\"a,b\"\r\nContent-Length: 4\r\n\r\nbusy",
			"HTTP/1.1 503 Service Unavailable\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nRetry-After: 7\r\nServer: old/1\r\nVia: 1.1 inner\r\nContent-Type: text/x; q=\"a,b\"\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbusy"},
		{"unknown status", "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 299 status code 299\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"no content", "HTTP/1.1 204 No Content\r\nX-A: 1\r\nContent-Type: a/b\r\n\r\n", "HTTP/1.1 204 No Content\r\nX-A: 1\r\nContent-Type: a/b\r\nConnection: close\r\n\r\n"},
		{"fields said twice stay twice",
			"HTTP/1.1 200 OK\r\nSet-Cookie: b=2\r\nSet-Cookie: a=1; Expires=Thu, 01 Jan 1970\r\nWarning: 1\r\nWarning: 2\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nSet-Cookie: b=2\r\nSet-Cookie: a=1; Expires=Thu, 01 Jan 1970\r\nWarning: 1\r\nWarning: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"hop-by-hop",
			"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: timeout=5\r\nX-Secret: 1\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-Kept: 1\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nX-Kept: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"upgrade required", // RFC 9110, 15.5.22
			"HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
		{"chunked and empty", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"},
		{"not modified keeps its description",
			"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\nContent-Type: a/b\r\nContent-Length: 99\r\n\r\n",
			"HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\ncontent-type: a/b\r\ncontent-length: 99\r\nConnection: close\r\n\r\n"},
		{"not modified without one", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\nConnection: close\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			service := openRaw(t, answering(test.answer))
			g := openGateway(t, service.url, gatewayConfig{})
			got := g.exchange(getClose)
			gotLine, gotFields, gotBody := lines(got)
			wantLine, wantFields, wantBody := lines(test.want)
			if gotLine != wantLine || !slices.Equal(gotFields, wantFields) || gotBody != wantBody {
				t.Errorf("got\n%q\nwant, fields in any order,\n%q", got, test.want)
			}
			if e := g.end(); e.err != nil || e.result.Err != nil {
				t.Errorf("Forward: %+v", e)
			}
		})
	}
}

// TestUpgradeRequiredKeepsItsConnection: what it names is for this connection, which
// goes on.
func TestUpgradeRequiredKeepsItsConnection(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: a/1, b\r\nContent-Length: 0\r\n\r\n"))
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	for range 2 {
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
		got := c.answer(http.MethodGet)
		if got.Header.Get("Connection") != "Upgrade" || got.Header.Get("Upgrade") != "a/1, b" {
			t.Errorf("got %v", got.Header)
		}
		g.ok()
	}
}

// TestAnswerToHead: HEAD's answer describes a body that does not come.
func TestAnswerToHead(t *testing.T) {
	for name, answer := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-A: 1\r\n\r\n",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n",
		"silent":  "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			service := openRaw(t, answering(answer))
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			for range 2 { // the second proves that nothing of a body stood in between
				c.send("HEAD /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
				got := c.answer(http.MethodHead)
				if got.StatusCode != 200 || got.Header.Get("X-A") != "1" || (got.Header.Get("Content-Length") == "1234") != (name == "length") {
					t.Errorf("got %d %v", got.StatusCode, got.Header)
				}
				if result := g.ok(); result.BytesOut != 0 {
					t.Errorf("%d bytes", result.BytesOut)
				}
			}
			if all := service.requests(); len(all) != 2 || all[0].Method != http.MethodHead {
				t.Errorf("legacy got %d requests", len(all))
			}
		})
	}
}

// TestCompressedAnswerStaysCompressed: nobody asks for compression that the
// client did not ask for, and nobody undoes it.
func TestCompressedAnswerStaysCompressed(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(bytes.Repeat([]byte("document "), 500))
	w.Close()
	service := openRaw(t, answering(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.String())))
	g := openGateway(t, service.url, gatewayConfig{})
	for _, accept := range []string{"", "Accept-Encoding: gzip;q=0.5, br\r\n"} {
		c := g.dial()
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n" + accept + "\r\n")
		got := c.answer(http.MethodGet)
		if got.body != packed.String() || got.Header.Get("Content-Encoding") != "gzip" || got.ContentLength != int64(packed.Len()) {
			t.Errorf("asked with %q: %d bytes, %v", accept, len(got.body), got.Header)
		}
		g.ok()
		all := service.requests()
		if head := all[len(all)-1].head; strings.Contains(head, "Accept-Encoding") != (accept != "") || !strings.Contains(head, strings.TrimSpace(accept)) {
			t.Errorf("asked with %q, legacy got %q", accept, head)
		}
	}
}

// TestOwnFieldsOutrankLegacys: what the gateway has set stays, legacy cannot
// speak for it.
func TestOwnFieldsOutrankLegacys(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 200 OK\r\nRollout-Path: temporal\r\nX-Theirs: 1\r\nContent-Length: 0\r\n\r\n"))
	g := openGateway(t, service.url, gatewayConfig{own: http.Header{"Rollout-Path": {"legacy"}}})
	_, fields, _ := lines(g.exchange(getClose))
	if !slices.Equal(fields, []string{"Connection: close", "Content-Length: 0", "Rollout-Path: legacy", "X-Theirs: 1"}) {
		t.Errorf("got %q", fields)
	}
}

// TestOutcomeOfAnswer: the statistics get the status and the number of bytes.
func TestOutcomeOfAnswer(t *testing.T) {
	for status, outcome := range map[int]rollout.Outcome{
		200: rollout.OutcomeOK, 301: rollout.OutcomeOK, 404: rollout.OutcomeInvalid, 429: rollout.OutcomeInvalid, 500: rollout.OutcomeFailed, 599: rollout.OutcomeFailed,
	} {
		service := openRaw(t, answering(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n12345", status)))
		g := openGateway(t, service.url, gatewayConfig{})
		g.exchange(getClose)
		if e := g.end(); e.err != nil || e.result.Status != status || e.result.Outcome != outcome || e.result.BytesOut != 5 {
			t.Errorf("%d: %+v", status, e)
		}
	}
}

// TestAnswerOfOldLegacy: HTTP/1.0 ends an answer by closing; the client of
// HTTP/1.1 gets chunks, that of HTTP/1.0 a close.
func TestAnswerOfOldLegacy(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write("HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nto the end")
		}
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	for range 2 {
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
		if got := c.answer(http.MethodGet); got.body != "to the end" || got.Header.Get("X-A") != "1" {
			t.Errorf("got %q, %v", got.body, got.Header)
		}
		g.ok()
	}
	if _, _, body := lines(g.exchange("GET /x HTTP/1.0\r\n\r\n")); body != "to the end" {
		t.Errorf("HTTP/1.0 got %q", body)
	}
}

// TestStatusThatHTTPDoesNotHave is no answer.
func TestStatusThatHTTPDoesNotHave(t *testing.T) {
	for _, answer := range []string{"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 2000 High\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n"} {
		service := openRaw(t, answering(answer))
		g := openGateway(t, service.url, gatewayConfig{})
		if got := g.exchange(getClose); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("%q became %q", answer, got)
		}
		g.broken()
	}
}
