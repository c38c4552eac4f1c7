package invisible_test

import (
	"strings"
	"testing"
)

// TestExpect: a client that waits for a 100 before it sends its body.
func TestExpect(t *testing.T) {
	const doc = `{"doc_id":"expect"}`
	var rows []row
	for _, target := range []string{route, "/things/7"} {
		head := request("POST", target, "", "Expect: 100-continue", "Content-Type: application/json", "Content-Length: 19")
		where := " elsewhere"
		var asked []difference
		if target == route {
			where, asked = " on the route", []difference{askedFirst}
		}
		// waits sends the body when it is asked to, and not after a refusal.
		waits := func(c *client) {
			c.send(head)
			switch status := c.next("POST"); {
			case status == 100:
				c.send(doc)
				c.answer("POST")
			case status >= 200:
				c.over()
			}
		}
		rows = append(rows,
			row{name: "100" + where, legacy: continues, client: waits, may: asked},
			row{name: "417" + where, legacy: refusesExpect("417 Expectation Failed"), client: waits, may: asked},
			row{name: "413 before the body" + where, legacy: refusesExpect("413 Content Too Large"), client: waits, may: asked},
			row{name: "401 before the body" + where, legacy: refusesExpect("401 Unauthorized\r\nWWW-Authenticate: Basic"), client: waits, may: asked},
			row{name: "no waiting" + where, legacy: continuesQuietly, client: asks(head + doc), may: append(asked, unaskedFor)},
			row{name: "100 from nobody, body sent all the same" + where, legacy: says(stored), may: append(asked, unaskedFor), client: func(c *client) {
				c.send(head)
				c.send(doc)
				c.answer("POST")
				c.again()
			}},
		)
	}
	rows = append(rows,
		row{name: "of HTTP/1.0", client: func(c *client) {
			c.ask(strings.Replace(request("POST", "/things/7", doc, "Expect: 100-continue"), "HTTP/1.1", "HTTP/1.0", 1))
			c.over()
		}, may: []difference{unheardExpect}},
		row{name: "without a body", client: asks(request("GET", "/things/7", "", "Expect: 100-continue")), may: []difference{unheardExpect}},
	)
	play(t, rows)
}

// continues asks for the body and then takes it.
func continues() script {
	return func(x *exchange) {
		if x.request.has("expect", "100-continue") {
			x.say("HTTP/1.1 100 Continue\r\n\r\n")
		}
		x.body()
		x.say(stored)
	}
}

// continuesQuietly takes a body that comes at once, as it may (RFC 9110, 10.1.1).
func continuesQuietly() script { return says(stored)() }

// refusesExpect answers without the body, which it never reads.
func refusesExpect(status string) func() script {
	return each(func(x *exchange) {
		if x.request.has("expect", "100-continue") {
			x.say("HTTP/1.1 " + status + "\r\nContent-Type: a/b\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			x.hangUp()
			return
		}
		x.body()
		x.say("HTTP/1.1 " + status + "\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nno")
	})
}

// TestEarlyAnswers: legacy answers before the upload has ended.
func TestEarlyAnswers(t *testing.T) {
	refuses := each(func(x *exchange) {
		x.say("HTTP/1.1 413 Content Too Large\r\nContent-Type: a/b\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
		x.hangUp()
	})
	begin := func(method, target string) func(c *client) {
		return func(c *client) {
			c.send(method + " " + target + " HTTP/1.1\r\nHost: docs.example\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 1000))
			c.answer(method)
		}
	}
	chunks := func(c *client) {
		c.send("PUT /things/7 HTTP/1.1\r\nHost: docs.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		c.answer("PUT")
	}
	play(t, []row{
		{name: "413 elsewhere", legacy: refuses, client: begin("PUT", "/things/7"), may: []difference{restUnread}},
		{name: "413 to chunks", legacy: refuses, client: chunks, may: []difference{restUnread}},
		{name: "413 on the route", settings: []string{"requests.body_patience=300ms", "requests.body_min_rate=1GiB"}, legacy: refuses, client: begin("POST", route), may: []difference{restUnread}},
		{name: "echo while it comes", legacy: each(echoes), client: func(c *client) {
			c.send("POST /echo HTTP/1.1\r\nHost: docs.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			c.until("hello\r\n")
			c.send("5\r\nworld\r\n")
			c.until("world\r\n")
			c.send("0\r\n\r\n")
			c.until("0\r\n\r\n")
			c.again()
		}, may: []difference{bytewise, early}},
	})
}

// echoes sends each part of the body back when it comes.
func echoes(x *exchange) {
	x.read = true
	x.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	for {
		size, err := readLine(x.in)
		if err != nil {
			x.ended = true
			return
		}
		data, err := readLine(x.in)
		if err != nil {
			x.ended = true
			return
		}
		x.say(size + "\r\n" + data + "\r\n")
		if size == "0" {
			return
		}
	}
}
