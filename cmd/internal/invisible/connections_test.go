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
