package invisible_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestConnections: how long a connection lives, and what is sent on it in which order.
func TestConnections(t *testing.T) {
	const doc = `{"doc_id":"connections"}`
	get := request("GET", "/a", "")
	over := func(raw string) func(c *client) {
		return func(c *client) { c.ask(raw); c.over() }
	}
	old := func(raw string) string { return strings.Replace(raw, " HTTP/1.1", " HTTP/1.0", 1) }
	pipelined := func(requests ...string) func(c *client) {
		return func(c *client) {
			c.send(strings.Join(requests, ""))
			for _, r := range requests {
				method, _, _ := strings.Cut(r, " ")
				c.answer(method)
			}
			c.again()
		}
	}
	play(t, []row{
		{name: "close", client: over(request("GET", "/a", "", "Connection: close"))},
		{name: "close on the route", client: over(post(doc, "Connection: close"))},
		{name: "close among others", client: over(request("GET", "/a", "", "Connection: foo, CLOSE"))},
		{name: "named field", client: asks(request("GET", "/a", "", "Connection: X-Hop", "X-Hop: 1")), may: []difference{named}},
		{name: "named field on the route", client: asks(post(doc, "Connection: X-Hop", "X-Hop: 1")), may: []difference{named}},
		{name: "1.0", client: over(old(get))},
		{name: "1.0 without a host", client: over("GET /a HTTP/1.0\r\n\r\n"), may: []difference{anyHost}},
		{name: "1.0 on the route", client: over(old(post(doc)))},
		{name: "1.0 kept", legacy: says(strings.Replace(stored, "Server", "Connection: keep-alive\r\nServer", 1)), client: asks(old(request("GET", "/a", "", "Connection: keep-alive")))},
		{name: "1.0 kept on the route", legacy: says(strings.Replace(stored, "Server", "Connection: keep-alive\r\nServer", 1)), client: asks(old(post(doc, "Connection: keep-alive")))},
		{name: "1.0, until the end", legacy: says("HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nuntil the end"), client: over(old(get))},
		{name: "legacy closes", legacy: says(strings.Replace(stored, "Server", "Connection: close\r\nServer", 1)), client: asks(get), may: []difference{kept}},
		{name: "legacy closes on the route", legacy: says(strings.Replace(stored, "Server", "Connection: close\r\nServer", 1)), client: asks(post(doc)), may: []difference{kept}},
		{name: "legacy closes without a word", legacy: each(func(x *exchange) { x.body(); x.say(stored); x.hangUp() }), client: func(c *client) { c.ask(get); c.another().ask(post(doc)); c.another().ask(get) }},
		{name: "pipelined", client: pipelined(get, request("HEAD", "/b", ""), request("DELETE", "/c", ""), post(doc), post(doc), request("PUT", "/d", doc), get)},
		{name: "pipelined after chunks", client: pipelined(inChunks(doc), get, inChunks(doc)), may: []difference{buffered}},
		{name: "two hundred on one connection", client: func(c *client) {
			for i := range 100 {
				c.ask(request("GET", fmt.Sprint("/", i), ""))
				c.ask(post(fmt.Sprintf(`{"doc_id":"%d"}`, i)))
			}
		}},
		{name: "blank line first", client: asks("\r\n" + get)},
		{name: "blank line after a POST", client: func(c *client) { c.ask(post(doc) + "\r\n"); c.ask(get) }},
		{name: "byte by byte", client: func(c *client) {
			c.conn.SetNoDelay(true)
			for _, b := range []byte(post(doc)) {
				c.send(string([]byte{b}))
			}
			c.answer("POST")
			c.again()
		}},
		{name: "chunks with extensions", client: asks(request("PUT", "/a", "", "Transfer-Encoding: chunked") + "5;a=b;c=\"d;e\"\r\nhello\r\n00003 ; x\r\nabc\r\n000;last\r\n\r\n")},
		{name: "chunks with extensions on the route", client: asks(request("POST", route, "", "Transfer-Encoding: chunked") + "18;a=b\r\n" + doc + "\r\n0;last\r\n\r\n"), may: []difference{buffered}},
		{name: "coding in capitals", client: asks(request("PUT", "/a", "", "Transfer-Encoding: Chunked") + "A\r\n0123456789\r\n0\r\n\r\n")},
		{name: "trailers announced", client: asks(request("PUT", "/a", "", "Transfer-Encoding: chunked", "Trailer: X-Sum, X-More") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n")},
		{name: "trailers", client: asks(request("PUT", "/a", "", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n")},
		{name: "trailers announced on the route", client: asks(request("POST", route, "", "Transfer-Encoding: chunked", "Trailer: X-Sum") + "18\r\n" + doc + "\r\n0\r\nX-Sum: 1\r\n\r\n")},
		{name: "trailers on the route", client: asks(request("POST", route, "", "Transfer-Encoding: chunked") + "18\r\n" + doc + "\r\n0\r\nX-Sum: 1\r\n\r\n")},
		{name: "trailers on the route with no document", client: asks(request("POST", route, "", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n")},
	})
}

// TestHalfClosed: the end of what a client sends is not the end of the client.
func TestHalfClosed(t *testing.T) {
	large := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n%s", 8<<20, strings.Repeat("0123456789abcdef", 8<<20/16))
	failed := "HTTP/1.1 403 Forbidden\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nno"
	chunks := "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	var rows []row
	for name, raw := range map[string]string{"GET": request("GET", "/a", ""), "HEAD": request("HEAD", "/a", ""), "DELETE": request("DELETE", "/a", ""),
		"OPTIONS": request("OPTIONS", "/a", ""), "PUT": request("PUT", "/a", "hello"), "PUT in chunks": request("PUT", "/a", "", "Transfer-Encoding: chunked") + "1\r\nx\r\n0\r\n\r\n",
		"document": post(`{"doc_id":"half"}`), "no document": post("hello"), "GET of 1.0": "GET /a HTTP/1.0\r\nHost: docs.example\r\n\r\n", "keyed": post(`{"doc_id":"half"}`, "Idempotency-Key: half")} {
		method, _, _ := strings.Cut(raw, " ")
		half := func(c *client) {
			c.send(raw)
			c.halfClose()
			c.signal("half closed")
			c.answer(method)
			c.over()
		}
		for answer, says := range map[string]string{"": stored, ", refused": failed, ", large": large, ", in chunks": chunks} {
			if method == "HEAD" {
				says, _, _ = cutLast(says)
			}
			rows = append(rows, row{name: name + answer, client: half, legacy: each(func(x *exchange) {
				x.body()
				x.await("half closed")
				x.say(says)
				x.hangUp()
			})})
		}
		rows = append(rows, row{name: name + ", broken", client: half, may: []difference{noAnswer, nothingMore},
			legacy: each(func(x *exchange) { x.body(); x.await("half closed"); x.hangUp() })})
	}
	rows = append(rows,
		row{name: "two pipelined", client: func(c *client) {
			c.send(request("GET", "/a", "") + request("DELETE", "/b", ""))
			c.halfClose()
			c.answer("GET")
			c.answer("DELETE")
			c.over()
		}},
		row{name: "document, then another", client: func(c *client) {
			c.send(post(`{"doc_id":"half"}`) + post(`{"doc_id":"half"}`))
			c.halfClose()
			c.answer("POST")
			c.answer("POST")
			c.over()
		}},
	)
	play(t, rows)
}

// TestStreams: what comes by and by arrives by and by.
func TestStreams(t *testing.T) {
	events := each(func(x *exchange) {
		x.body()
		x.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
		x.await("head came")
		x.say("b\r\ndata: one\n\n\r\n")
		x.await("one came")
		x.say("b\r\ndata: two\n\n\r\n0\r\n\r\n")
	})
	follow := func(raw string) func(c *client) {
		return func(c *client) {
			c.send(raw)
			c.until("\r\n\r\n")
			c.signal("head came")
			c.until("data: one\n\n\r\n")
			c.signal("one came")
			c.until("data: two\n\n\r\n0\r\n\r\n")
			c.again()
		}
	}
	length := each(func(x *exchange) {
		x.body()
		x.say("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 6\r\n\r\none")
		x.await("one came")
		x.say("two")
	})
	parts := func(raw string) func(c *client) {
		return func(c *client) {
			c.send(raw)
			c.until("one")
			c.signal("one came")
			c.until("two")
			c.again()
		}
	}
	head := each(func(x *exchange) {
		x.body()
		x.say("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\n")
		x.await("head came")
		x.say("one")
	})
	heads := func(raw string) func(c *client) {
		return func(c *client) {
			c.send(raw)
			c.until("\r\n\r\n")
			c.signal("head came")
			c.until("one")
			c.again()
		}
	}
	get, doc := request("GET", "/events", ""), post(`{"doc_id":"stream"}`)
	byte := []difference{bytewise}
	play(t, []row{
		{name: "events", legacy: events, client: follow(get), may: byte},
		{name: "events on the route", legacy: events, client: follow(doc), may: byte},
		{name: "known length in parts", legacy: length, client: parts(get), may: byte},
		{name: "known length in parts on the route", legacy: length, client: parts(doc), may: byte},
		{name: "head of known length before its body", legacy: head, client: heads(get), may: byte},
		{name: "head of known length before its body on the route", legacy: head, client: heads(doc), may: byte},
	})
}

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
