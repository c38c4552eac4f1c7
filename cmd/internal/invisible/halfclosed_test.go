package invisible_test

import (
	"fmt"
	"strings"
	"testing"
)

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
				says, _ = cutLast(says)
			}
			if answer == ", in chunks" && name == "GET of 1.0" {
				continue // HTTP/1.0 has no chunks
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
