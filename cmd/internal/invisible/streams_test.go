package invisible_test

import (
	"testing"
	"time"
)

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
	// endless goes on until its writing fails, as it must once the client has left.
	endless := each(func(x *exchange) {
		x.body()
		x.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
		for end := time.Now().Add(patience); !x.ended && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			x.say("b\r\ndata: one\n\n\r\n")
		}
		if x.ended {
			x.request.framing += ", the client left"
		}
		x.ended = true
	})
	leaves := func(raw string) func(c *client) {
		return func(c *client) {
			c.send(raw)
			c.until("data: one\n\n\r\n")
			c.conn.Close()
		}
	}
	get, doc := request("GET", "/events", ""), post(`{"doc_id":"stream"}`)
	loose := []difference{bytewise}
	play(t, []row{
		{name: "events", legacy: events, client: follow(get), may: loose},
		{name: "events on the route", legacy: events, client: follow(doc), may: loose},
		{name: "events whose client leaves", legacy: endless, client: leaves(get), may: loose},
		{name: "events whose client leaves on the route", legacy: endless, client: leaves(doc), may: loose},
		{name: "known length in parts", legacy: length, client: parts(get), may: loose},
		{name: "known length in parts on the route", legacy: length, client: parts(doc), may: loose},
		{name: "head of known length before its body", legacy: head, client: heads(get), may: loose},
		{name: "head of known length before its body on the route", legacy: head, client: heads(doc), may: loose},
	})
}
