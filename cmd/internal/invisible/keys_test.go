package invisible_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// TestKeys: with legacy.idempotency: pass a key is legacy's affair.
func TestKeys(t *testing.T) {
	keyed := func(body string) string { return post(body, "Idempotency-Key: k") }
	a, b, d := `{"doc_id":"k","v":1}`, `{"doc_id":"k","v":2}`, `{"doc_id":"k2","v":3}`
	all := func(requests ...string) func(c *client) {
		return func(c *client) {
			for _, r := range requests {
				c.ask(r)
			}
		}
	}
	play(t, []row{
		{name: "one key, three bodies", legacy: keepsKeys, client: all(keyed(a), keyed(b), keyed(d))},
		{name: "one key, one body", legacy: keepsKeys, client: all(keyed(a), keyed(a), keyed(a))},
		{name: "one key, other documents", legacy: keepsKeys, client: all(keyed(d), keyed(a))},
		{name: "one key, another query", legacy: keepsKeys, client: all(keyed(a), request("POST", route+"?x", a, "Idempotency-Key: k"))},
		{name: "A, B, A", legacy: counts, client: all(post(a), post(b), post(a))},
		{name: "A, A, A", legacy: counts, client: all(post(a), post(a), post(a))},
		{name: "two keys, one body", legacy: counts, client: all(keyed(a), post(a, "Idempotency-Key: l"))},
		{name: "A, DELETE, A", legacy: counts, client: all(post(a), request("DELETE", route+"/k", ""), post(a))},
		{name: "refused, then taken", legacy: refusesOnce, client: all(keyed(a), keyed(a))},
		{name: "the first is under way, the same again", legacy: holdsFirst, client: overtakes(a, a)},
		{name: "the first is under way, another version", legacy: holdsFirst, client: overtakes(a, b)},
		{name: "the first is under way, one key", legacy: holdsFirst, client: overtakesRaw(keyed(a), keyed(a))},
		{name: "the first is under way, one key, another body", legacy: holdsFirst, client: overtakesRaw(keyed(a), keyed(b))},
		{name: "the first broke, the same again", legacy: breaksFirst, client: func(c *client) { c.ask(post(a)); c.another().ask(post(a)) }, may: []difference{noAnswer}},
		{name: "the first broke, another version", legacy: breaksFirst, client: func(c *client) { c.ask(post(a)); c.another().ask(post(b)) }, may: []difference{noAnswer}},
	})
}

// keepsKeys is a service that keeps its own idempotency keys, and takes each for one
// request.
func keepsKeys() script {
	first := map[string]string{}
	return func(x *exchange) {
		key, body := x.request.values("idempotency-key")[0], x.request.target()+x.body()
		switch was, known := first[key]; {
		case !known:
			first[key] = body
			x.say("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nnew")
		case was == body:
			x.say("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nIdempotency-Replayed: true\r\nContent-Length: 3\r\n\r\nold")
		default:
			x.say("HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nother")
		}
	}
}

// counts is a service that tells how often it was asked.
func counts() script {
	n := 0
	return func(x *exchange) {
		x.body()
		n++
		x.say(fmt.Sprintf("HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nLocation: /v1/documents/%d\r\nContent-Length: 1\r\n\r\n%d", n, n))
	}
}

func refusesOnce() script {
	var n atomic.Int32
	return func(x *exchange) {
		x.body()
		if n.Add(1) == 1 {
			x.say("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\nbusy")
			return
		}
		x.say(stored)
	}
}

// holdsFirst answers its first request when a later one has been answered.
func holdsFirst() script {
	return func(x *exchange) {
		x.body()
		if x.request.has("x-turn", "first") {
			x.signal("first is here")
			x.await("second is answered")
		}
		x.say(stored)
	}
}

func breaksFirst() script {
	var n atomic.Int32
	return func(x *exchange) {
		x.body()
		if n.Add(1) == 1 {
			x.reset()
			return
		}
		x.say(stored)
	}
}

// overtakes posts the second body while the first is under way.
func overtakes(first, second string) func(c *client) { return overtakesRaw(post(first), post(second)) }

func overtakesRaw(first, second string) func(c *client) {
	return func(c *client) {
		c.send(strings.Replace(first, "\r\n", "\r\nX-Turn: first\r\n", 1))
		c.await("first is here")
		c.another().ask(second)
		c.signal("second is answered")
		c.answer("POST")
	}
}
