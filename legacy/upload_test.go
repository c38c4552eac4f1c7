package legacy_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sluice/legacy"
)

// TestClientBreaksItsUploadOff: it is not legacy's doing, nothing is proved,
// and legacy does not get a whole request.
func TestClientBreaksItsUploadOff(t *testing.T) {
	for name, request := range map[string]string{
		"length": "POST /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 100\r\n\r\nhalf",
		"chunks": "POST /x HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"broken": "POST /x HTTP/1.1\r\nHost: front.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			arrived, whole := make(chan struct{}), make(chan error, 1)
			service := openRaw(t, func(c *rawConn) {
				h, ok := c.readHead()
				if !ok {
					return
				}
				io.ReadFull(h.Body, make([]byte, 4))
				close(arrived)
				_, err := io.Copy(io.Discard, h.Body)
				whole <- err
			})
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send(request)
			<-arrived
			c.Conn.(*net.TCPConn).CloseWrite()
			e := g.end()
			if !errors.Is(e.err, legacy.ErrBroken) || !errors.Is(e.err, legacy.ErrUpload) || errors.Is(e.err, legacy.ErrUnreachable) {
				t.Errorf("Forward: %v", e.err)
			}
			if <-whole == nil {
				t.Error("legacy got a whole request")
			}
		})
	}
}

// TestAnswerBeforeTheUploadEnds: legacy refuses a large document at its head
// and hangs up; the client gets the refusal, not a broken connection.
func TestAnswerBeforeTheUploadEnds(t *testing.T) {
	const refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
	for name, hangUp := range map[string]func(c *rawConn, h heard){
		"legacy reads on": func(_ *rawConn, h heard) { io.Copy(io.Discard, h.Body) },
		"legacy closes its side": func(c *rawConn, h heard) {
			c.Conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, h.Body)
		},
		"legacy waits": func(c *rawConn, _ heard) { c.Conn.(*net.TCPConn).CloseWrite(); <-c.service.stop },
	} {
		t.Run(name, func(t *testing.T) {
			service := openRaw(t, func(c *rawConn) {
				if h, ok := c.readHead(); ok {
					c.write(refusal)
					hangUp(c, h)
				}
			})
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send("POST /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 50000000\r\n\r\n" + strings.Repeat("x", 50000))
			got := c.answer(http.MethodPost) // and not a byte more is sent
			if got.StatusCode != http.StatusRequestEntityTooLarge || got.body != "big" || !got.Close {
				t.Errorf("got %d %q %v", got.StatusCode, got.body, got.Header)
			}
			if e := g.end(); e.err != nil || e.result.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("Forward: %+v", e)
			}
		})
	}
}

// TestAnswerOfLegacyThatSlamsTheDoor: it answers at the head and resets under
// a client that goes on sending. What it said before still counts.
func TestAnswerOfLegacyThatSlamsTheDoor(t *testing.T) {
	service := openRaw(t, func(c *rawConn) {
		if _, ok := c.readHead(); ok {
			c.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
		} // and closes with most of the upload unread: a reset
	})
	g := openGateway(t, service.url, gatewayConfig{})
	for range 20 {
		c := g.dial()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			io.WriteString(c, "POST /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 50000000\r\n\r\n")
			io.WriteString(c, strings.Repeat("x", 1<<20))
		}()
		if got := c.answer(http.MethodPost); got.StatusCode != http.StatusRequestEntityTooLarge || got.body != "big" {
			t.Errorf("got %d %q", got.StatusCode, got.body)
		}
		c.Close()
		<-sent
		g.end()
	}
}

// TestConnectionGoesOnAfterAWholeUpload and ends after one that was left lying,
// whose rest would read as the next request.
func TestConnectionGoesOnAfterAWholeUpload(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	for _, request := range []string{postKeep, postChunked, postBare, postKeep} {
		c.send(request)
		if got := c.answer(http.MethodPost); got.Close || got.body != "ok" {
			t.Errorf("got %q, %v", got.body, got.Header)
		}
		g.ok()
	}
}

// lastless is a body whose end is told only after the answer.
type lastless struct {
	io.ReadCloser
	answered chan struct{}
}

func (b *lastless) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		if n > 0 {
			return n, nil
		}
		<-b.answered
	}
	return n, err
}

// TestLengthTellsTheEnd: legacy may answer when it has all bytes of the body, before
// anybody here has asked for more and was told that there are none.
func TestLengthTellsTheEnd(t *testing.T) {
	const size = 100_000 // more than is held back to be sent with its end
	service := openRaw(t, answering(answerOK))
	answered := make(chan struct{})
	g := openGateway(t, service.url, gatewayConfig{before: func(_ *gateway, r *http.Request) { r.Body = &lastless{r.Body, answered} }})
	c := g.dial()
	c.send("POST /x HTTP/1.1\r\nHost: front.test\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", size))
	response := c.head(http.MethodPost)
	close(answered)
	if got := readReply(response); got.body != "ok" || response.Close {
		t.Errorf("got %q, %v", got.body, response.Header)
	}
	g.ok()
}
