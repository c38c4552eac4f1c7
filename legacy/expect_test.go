package legacy_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const postExpecting = "POST /x HTTP/1.1\r\nHost: front.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

// TestExpectIsLegacysToAnswer: the client is asked for its body only after
// legacy has asked for it.
func TestExpectIsLegacysToAnswer(t *testing.T) {
	asked := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		h, ok := c.readHead()
		if !ok {
			return
		}
		if h.Header.Get("Expect") != "100-continue" {
			t.Errorf("legacy got %q", h.head)
		}
		close(asked)
		c.write("HTTP/1.1 100 Continue\r\n\r\n")
		body, _ := io.ReadAll(h.Body)
		c.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + string(body))
	})
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send(postExpecting)
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	select {
	case <-asked:
	default:
		t.Error("the client was asked before legacy")
	}
	c.send("hello")
	if got := c.answer(http.MethodPost); got.body != "hello" {
		t.Errorf("got %q", got.body)
	}
	g.ok()
}

// TestExpectRefusedByLegacy: the client gets the refusal at once and never
// sends its body, nor is asked to; nor does legacy have to wait for one.
func TestExpectRefusedByLegacy(t *testing.T) {
	for _, status := range []string{"417 Expectation Failed", "401 Unauthorized", "200 OK"} {
		ended := make(chan struct{})
		service := openRaw(t, func(c *rawConn) {
			if _, ok := c.readHead(); ok {
				c.write("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nno")
				if rest, err := io.ReadAll(c.in); len(rest) > 0 || err != nil {
					t.Errorf("legacy got %q after its answer, %v", rest, err)
				}
				close(ended)
			}
		})
		g := openGateway(t, service.url, gatewayConfig{})
		c := g.dial()
		c.send(postExpecting)
		got := c.answer(http.MethodPost)
		if got.Proto+" "+got.Status != "HTTP/1.1 "+status || got.body != "no" || !got.Close {
			t.Errorf("the client got %s %q, %v", got.Status, got.body, got.Header)
		}
		g.end()
		<-ended // while the client still holds its connection
	}
}

// TestExpectOfLegacyThatIgnoresIt: it just waits for the body, which comes
// after a second.
func TestExpectOfLegacyThatIgnoresIt(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url, gatewayConfig{})
	c := g.dial()
	c.send(postExpecting)
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	c.send("hello")
	if got := c.answer(http.MethodPost); got.body != "ok" {
		t.Errorf("got %q", got.body)
	}
	g.ok()
	if got := service.only(t); got.body != "hello" {
		t.Errorf("legacy got %q", got.body)
	}
}

// TestExpectEndsWhereTheBodyIs: when it has been read, or there is none, legacy
// has nothing to wait for.
func TestExpectEndsWhereTheBodyIs(t *testing.T) {
	for _, test := range []struct {
		request  string
		buffered bool
	}{
		{postExpecting + "hello", true},
		{"GET /x HTTP/1.1\r\nHost: front.test\r\nExpect: 100-continue\r\n\r\n", false},
		{"POST /x HTTP/1.0\r\nHost: front.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", false},
	} {
		service := openRaw(t, answering(answerOK))
		g := openGateway(t, service.url, gatewayConfig{buffered: test.buffered})
		c := g.dial()
		c.send(test.request)
		response := c.head(http.MethodPost)
		if test.buffered { // the server itself asked for the body
			if response.StatusCode != http.StatusContinue {
				t.Errorf("got %d", response.StatusCode)
			}
			response = c.head(http.MethodPost)
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("got %d", response.StatusCode)
		}
		g.ok()
		if got := service.only(t); strings.Contains(got.head, "Expect") {
			t.Errorf("legacy got %q", got.head)
		}
	}
}

// TestOnlyTheWaitingEndsHere: what else a client expects is legacy's to read, as is a
// field that says nothing.
func TestOnlyTheWaitingEndsHere(t *testing.T) {
	for value, want := range map[string][]string{
		"":                          {""},
		"100-continue, other=1":     {"other=1"},
		"other, 100-Continue ,x":    {"other, x"},
		"100-continue,100-continue": nil,
	} {
		got := sent(t, gatewayConfig{}, "GET /x HTTP/1.1\r\nHost: front.test\r\nExpect: "+value+"\r\n\r\n")
		if values := got.Header["Expect"]; !slices.Equal(values, want) {
			t.Errorf("%q: legacy got %q, want %q", value, values, want)
		}
	}
}
