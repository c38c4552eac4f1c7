package legacy_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/legacy"
	"sluice/rollout"
)

func upgradeRequest(protocols string) string {
	return "GET /x HTTP/1.1\r\nHost: front.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: " + protocols + "\r\nSec-WebSocket-Key: k\r\n\r\n"
}

const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\nKeep-Alive: 5\r\n\r\n"

// switching is a legacy that changes to what script speaks.
func switching(t *testing.T, answer string, script func(c *rawConn)) *rawLegacy {
	return openRaw(t, func(c *rawConn) {
		if _, ok := c.read(); ok {
			c.write(answer)
			script(c)
		}
	})
}

// changed fails the test unless Forward joined the two connections.
func (g *gateway) changed(bytes int64) {
	g.t.Helper()
	if e := g.end(); e.err != nil || e.result.Status != http.StatusSwitchingProtocols || e.result.Outcome != rollout.OutcomeOK || e.result.BytesOut != bytes {
		g.t.Errorf("Forward: %+v, %v", e.result, e.err)
	}
}

// TestUpgradeJoinsBothWays: the head is legacy's; bytes go in both directions,
// those too that came in one piece with the heads.
func TestUpgradeJoinsBothWays(t *testing.T) {
	service := switching(t, switched+"early", func(c *rawConn) { io.Copy(c, c.in) })
	g := openGateway(t, service.url, gatewayConfig{own: http.Header{"Rollout-Path": {"legacy"}}})
	c := g.dial()
	c.send(upgradeRequest("websocket") + "first")
	response := c.head(http.MethodGet)
	want := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Accept": {"a"}, "Rollout-Path": {"legacy"}}
	if response.StatusCode != http.StatusSwitchingProtocols || len(response.Header) != len(want) {
		t.Errorf("got %d %v", response.StatusCode, response.Header)
	}
	for name := range want {
		if response.Header.Get(name) != want.Get(name) {
			t.Errorf("%s is %q", name, response.Header[name])
		}
	}
	c.expect("earlyfirst")
	for _, word := range []string{"HEAD / HTTP/1.1\r\n\r\n", "\x00\xff", strings.Repeat("y", 100000)} {
		go c.send(word)
		c.expect(word)
	}
	c.Conn.(*net.TCPConn).CloseWrite()
	if rest := c.rest(); rest != "" {
		t.Errorf("at the end %q", rest)
	}
	g.changed(10 + 19 + 2 + 100000)
	if got := service.only(t).Header; got.Get("Upgrade") != "websocket" || got.Get("Connection") != "Upgrade" || got.Get("Sec-Websocket-Key") != "k" {
		t.Errorf("legacy got %v", got)
	}
}

// TestUpgradeHalfCloses: each direction ends by itself, the other goes on. The
// client's end once cut legacy's answer off: net/http's reader ended the
// request's context on it.
func TestUpgradeHalfCloses(t *testing.T) {
	t.Run("client first", func(t *testing.T) {
		service := switching(t, switched, func(c *rawConn) {
			all, _ := io.ReadAll(c.in)
			c.write("got " + string(all))
		})
		g := openGateway(t, service.url, gatewayConfig{})
		c := g.dial()
		c.send(upgradeRequest("websocket"))
		c.head(http.MethodGet)
		c.send("question")
		c.Conn.(*net.TCPConn).CloseWrite()
		if got := c.rest(); got != "got question" {
			t.Errorf("got %q", got)
		}
		g.changed(12)
	})
	t.Run("legacy first", func(t *testing.T) {
		got := make(chan string, 1)
		service := switching(t, switched, func(c *rawConn) {
			c.write("bye")
			c.Conn.(*net.TCPConn).CloseWrite()
			all, _ := io.ReadAll(c.in)
			got <- string(all)
		})
		g := openGateway(t, service.url, gatewayConfig{})
		c := g.dial()
		c.send(upgradeRequest("websocket"))
		c.head(http.MethodGet)
		if rest := c.rest(); rest != "bye" {
			t.Errorf("got %q", rest)
		}
		c.send("last words")
		c.Close()
		if all := <-got; all != "last words" {
			t.Errorf("legacy got %q", all)
		}
		g.changed(3)
	})
}

// TestUpgradeEndsWithItsContext, though both sides are silent.
func TestUpgradeEndsWithItsContext(t *testing.T) {
	ended := make(chan struct{})
	service := switching(t, switched, func(c *rawConn) { c.in.ReadByte(); close(ended) })
	g := openGateway(t, service.url, gatewayConfig{limit: 500 * time.Millisecond})
	c := g.dial()
	c.send(upgradeRequest("websocket"))
	c.head(http.MethodGet)
	if rest := c.rest(); rest != "" {
		t.Errorf("got %q", rest)
	}
	<-ended
	g.changed(0)
}

// TestUpgradeHasNoAnswerTimeout: what the sides do not read for a while is not
// lost. The pause can only be too short to notice, never too long.
func TestUpgradeHasNoAnswerTimeout(t *testing.T) {
	const size = 16 << 20 // more than the buffers in between
	got := make(chan int64, 1)
	service := switching(t, switched, func(c *rawConn) {
		<-time.After(100 * time.Millisecond)
		n, _ := io.Copy(io.Discard, c.in)
		got <- n
	})
	g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{AnswerTimeout: 20 * time.Millisecond}})
	c := g.dial()
	c.send(upgradeRequest("websocket"))
	c.head(http.MethodGet)
	io.WriteString(c, strings.Repeat("x", size))
	c.Conn.(*net.TCPConn).CloseWrite()
	if n := <-got; n != size {
		t.Errorf("legacy got %d of %d bytes", n, size)
	}
	g.changed(0)
}

// TestHTTP2AndTLSAreNotOffered: legacy would take requests past the gateway.
func TestHTTP2AndTLSAreNotOffered(t *testing.T) {
	for offer, want := range map[string][]string{
		"h2c": nil, "H2C": nil, "h2": nil, "HTTP/2.0": nil, "TLS/1.2": nil, "websocket": {"websocket"},
		"h2c, websocket, TLS/1.0, foo/2": {"websocket, foo/2"},
	} {
		got := sent(t, gatewayConfig{}, strings.Replace(upgradeRequest(offer), "keep-alive", "HTTP2-Settings", 1))
		if !slices.Equal(got.Header["Upgrade"], want) || (got.Header.Get("Connection") == "Upgrade") != (want != nil) || got.Header["Http2-Settings"] != nil {
			t.Errorf("offered %q, legacy got %q", offer, got.head)
		}
	}
	for name, request := range map[string]string{
		"not in Connection": strings.Replace(upgradeRequest("websocket"), ", Upgrade", "", 1),
		"HTTP/1.0":          strings.Replace(upgradeRequest("websocket"), "HTTP/1.1", "HTTP/1.0", 1),
	} {
		if got := sent(t, gatewayConfig{}, request); strings.Contains(got.head, "Upgrade") {
			t.Errorf("%s: legacy got %q", name, got.head)
		}
	}
}

// TestChangeNobodyAskedFor: a 101 to another protocol, or to none, is a broken
// answer.
func TestChangeNobodyAskedFor(t *testing.T) {
	for name, test := range map[string]struct{ request, answer string }{
		"unasked":   {getClose, switched},
		"another":   {upgradeRequest("foo"), switched},
		"h2c":       {upgradeRequest("h2c, websocket"), strings.Replace(switched, "websocket", "h2c", 1)},
		"one more":  {upgradeRequest("websocket"), strings.Replace(switched, "websocket", "websocket, foo", 1)},
		"to none":   {upgradeRequest("websocket"), "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
		"unmarked":  {upgradeRequest("websocket"), strings.Replace(switched, "Connection: Upgrade\r\n", "", 1)},
		"of POST's": {strings.Replace(postClose, "close", "Upgrade\r\nUpgrade: websocket", 1), strings.Replace(switched, "websocket", "h2c", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			service := switching(t, test.answer, func(c *rawConn) { c.in.ReadByte() })
			g := openGateway(t, service.url, gatewayConfig{})
			c := g.dial()
			c.send(test.request)
			if got := c.answer(http.MethodGet); got.StatusCode != http.StatusBadGateway {
				t.Errorf("got %d", got.StatusCode)
			}
			g.broken()
		})
	}
}

// TestReadBodyIsNotUpgraded: a document that the gateway has read gets an
// answer, not a connection.
func TestReadBodyIsNotUpgraded(t *testing.T) {
	got := sent(t, gatewayConfig{buffered: true}, strings.Replace(postClose, "close", "Upgrade\r\nUpgrade: websocket", 1))
	if strings.Contains(got.head, "Upgrade") || got.body != "hello" {
		t.Errorf("legacy got %q", got.head)
	}
}

// TestUpgradeRefused is an ordinary answer on an ordinary connection.
func TestUpgradeRefused(t *testing.T) {
	service := openRaw(t, answering("HTTP/1.1 426 Upgrade Required\r\nUpgrade: foo\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno"))
	g := openGateway(t, service.url, gatewayConfig{Config: legacy.Config{MaxIdle: 1}})
	c := g.dial()
	for range 2 {
		c.send(upgradeRequest("websocket"))
		if got := c.answer(http.MethodGet); got.StatusCode != http.StatusUpgradeRequired || got.body != "no" {
			t.Errorf("got %d %q", got.StatusCode, got.body)
		}
		g.ok()
	}
}
