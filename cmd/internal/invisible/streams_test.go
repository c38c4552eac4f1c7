package invisible_test

import "testing"

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
	loose := []difference{bytewise}
	play(t, []row{
		{name: "events", legacy: events, client: follow(get), may: loose},
		{name: "events on the route", legacy: events, client: follow(doc), may: loose},
		{name: "known length in parts", legacy: length, client: parts(get), may: loose},
		{name: "known length in parts on the route", legacy: length, client: parts(doc), may: loose},
		{name: "head of known length before its body", legacy: head, client: heads(get), may: loose},
		{name: "head of known length before its body on the route", legacy: head, client: heads(doc), may: loose},
	})
}
