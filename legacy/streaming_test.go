package legacy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestAnswerStreamsChunkByChunk: each part reaches the client before legacy
// sends the next, whether the length is known or not; the head before any.
func TestAnswerStreamsChunkByChunk(t *testing.T) {
	for name, cfg := range map[string]struct{ head, before, after, end string }{
		"chunks":        {"Transfer-Encoding: chunked\r\n", "4\r\n", "\r\n", "0\r\n\r\n"},
		"events":        {"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n", "4\r\n", "\r\n", "0\r\n\r\n"},
		"until the end": {"Connection: close\r\n", "", "", ""},
		"length":        {"Content-Length: 12\r\n", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			next := make(chan struct{})
			service := openRaw(t, func(c *rawConn) {
				if _, ok := c.read(); !ok {
					return
				}
				c.write("HTTP/1.1 200 OK\r\n" + cfg.head + "\r\n")
				for _, part := range []string{"one.", "two.", "six."} {
					c.await(next)
					c.write(cfg.before + part + cfg.after)
				}
				c.await(next)
				c.write(cfg.end)
			})
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send("GET /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
			response := c.head(http.MethodGet)
			for _, part := range []string{"one.", "two.", "six."} {
				next <- struct{}{} // not before the client has the part before
				expectPart(t, response.Body, part)
			}
			next <- struct{}{}
			if rest := readReply(response); rest.err != nil || rest.body != "" {
				t.Errorf("at the end %q, %v", rest.body, rest.err)
			}
			if result := g.ok(); result.BytesOut != 12 {
				t.Errorf("%d bytes", result.BytesOut)
			}
		})
	}
}

// expectPart reads no more than the part.
func expectPart(t *testing.T, from io.Reader, part string) {
	t.Helper()
	got := make([]byte, len(part))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != part {
		t.Fatalf("got %q, %v, want %q", got, err, part)
	}
}

// TestUploadStreams: legacy has the first part before the client sends the
// second.
func TestUploadStreams(t *testing.T) {
	parts := make(chan string)
	service := openRaw(t, func(c *rawConn) {
		h, ok := c.readHead()
		if !ok {
			return
		}
		for range 3 {
			got := make([]byte, 4)
			if _, err := io.ReadFull(h.Body, got); err != nil {
				return
			}
			select {
			case parts <- string(got):
			case <-c.service.stop:
			}
		}
		io.Copy(io.Discard, h.Body)
		c.write(answerOK)
	})
	for name, cfg := range map[string]struct{ head, before, after, end string }{
		"chunks": {"Transfer-Encoding: chunked\r\n", "4\r\n", "\r\n", "0\r\n\r\n"},
		"length": {"Content-Length: 12\r\n", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send("POST /x HTTP/1.1\r\nHost: front.test\r\n" + cfg.head + "\r\n")
			for _, part := range []string{"one.", "two.", "six."} {
				c.send(cfg.before + part + cfg.after)
				if got := <-parts; got != part {
					t.Fatalf("legacy got %q, want %q", got, part)
				}
			}
			c.send(cfg.end)
			if got := c.answer(http.MethodPost); got.body != "ok" || got.Close {
				t.Errorf("got %q, %v", got.body, got.Header)
			}
			g.ok()
		})
	}
}

// TestBothDirectionsStreamAtOnce: a question, its answer, the next question, in
// one request.
func TestBothDirectionsStreamAtOnce(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		h, ok := c.readHead()
		if !ok {
			return
		}
		c.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		part := make([]byte, 4)
		for {
			if _, err := io.ReadFull(h.Body, part); err != nil {
				break
			}
			c.write("4\r\n" + strings.ToUpper(string(part)) + "\r\n")
		}
		c.write("0\r\n\r\n")
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send("POST /x HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n")
	response := c.head(http.MethodPost)
	for _, part := range []string{"one.", "two.", "six."} {
		c.send("4\r\n" + part + "\r\n")
		expectPart(t, response.Body, strings.ToUpper(part))
	}
	c.send("0\r\n\r\n")
	if rest := readReply(response); rest.err != nil || rest.body != "" {
		t.Errorf("at the end %q, %v", rest.body, rest.err)
	}
	g.ok()
}
