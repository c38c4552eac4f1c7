package invisible_test

import "testing"

// TestUpgrades: a connection that becomes something else.
func TestUpgrades(t *testing.T) {
	handshake := request("GET", "/socket", "", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13")
	switches := each(func(x *exchange) {
		x.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello")
		for {
			line, err := readLine(x.in)
			if err != nil {
				x.say("bye")
				x.hangUp()
				return
			}
			x.say("<" + line + ">")
		}
	})
	play(t, []row{
		{name: "WebSocket", legacy: switches, client: func(c *client) {
			c.ask(handshake)
			c.until("hello")
			c.send("\x00\xff\n")
			c.until("<\x00\xff>")
			c.halfClose()
			c.until("bye")
			c.over()
		}},
		{name: "bytes behind the handshake", legacy: switches, client: func(c *client) {
			c.ask(handshake + "early\n")
			c.until("hello<early>")
			c.halfClose()
			c.until("bye")
		}},
		{name: "upgrade refused", legacy: says("HTTP/1.1 400 Bad Request\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nno"), client: asks(handshake)},
		{name: "upgrade ignored", client: asks(handshake)},
		{name: "upgrade of a document", client: asks(post(`{"doc_id":"upgrade"}`, "Connection: Upgrade", "Upgrade: websocket")), may: []difference{unoffered}},
		{name: "h2c", client: asks(request("GET", "/a", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")), may: []difference{unoffered}},
	})
}
