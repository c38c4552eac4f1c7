package invisible_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLimits: what the gateway can hold and how long it waits is not the client's
// affair.
func TestLimits(t *testing.T) {
	large := `{"doc_id":"large","text":"` + strings.Repeat("x", 11<<20) + `"}`
	const doc = `{"doc_id":"slow","text":"Ada"}`
	slow := func(head, first, rest string) func(c *client) {
		return func(c *client) {
			c.send(head + first)
			time.Sleep(time.Second)
			c.send(rest)
			c.answer("POST")
			c.again()
		}
	}
	late := func() script {
		return func(x *exchange) {
			x.body()
			time.Sleep(time.Second)
			x.say(stored)
		}
	}
	hurried := []string{"requests.body_patience=200ms", "requests.body_min_rate=1GiB"}
	impatient := []string{"legacy.answer_timeout=300ms"}
	head := "POST " + route + " HTTP/1.1\r\nHost: docs.example\r\n"
	put := "PUT /things/7 HTTP/1.1\r\nHost: docs.example\r\n"
	play(t, []row{
		{name: "11 MiB", client: asks(post(large))},
		{name: "11 MiB in chunks", client: asks(inChunks(large)), may: []difference{buffered}},
		{name: "11 MiB without a doc_id", client: asks(post(large[20:]))},
		{name: "11 MiB elsewhere", client: asks(request("PUT", "/things/7", large))},
		{name: "11 MiB of an answer", legacy: says(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n%s", len(large), large)), client: asks(request("GET", "/x", ""))},
		{name: "11 MiB of an answer on the route", legacy: says(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: %d\r\n\r\n%s", len(large), large)), client: asks(post(doc))},
		{name: "slow body", settings: hurried, client: slow(head+"Content-Length: 30\r\n\r\n", doc[:9], doc[9:])},
		{name: "slow body in chunks", settings: hurried, may: []difference{buffered},
			client: slow(head+"Transfer-Encoding: chunked\r\n\r\n", "9\r\n"+doc[:9]+"\r\n", "15\r\n"+doc[9:]+"\r\n0\r\n\r\n")},
		{name: "slow body, nothing at first", settings: hurried, client: slow(head+"Content-Length: 30\r\n\r\n", "", doc)},
		{name: "slow body without a doc_id", settings: hurried, client: slow(head+"Content-Length: 30\r\n\r\n", "hello", strings.Repeat(" ", 25))},
		{name: "slow body elsewhere", settings: hurried, client: slow(put+"Content-Length: 30\r\n\r\n", doc[:9], doc[9:])},
		{name: "late answer", settings: impatient, legacy: late, client: asks(post(doc))},
		{name: "late answer to a large one", settings: impatient, legacy: late, client: asks(post(large))},
		{name: "late answer to no document", settings: impatient, legacy: late, client: asks(post("hello"))},
		{name: "late answer elsewhere", settings: impatient, legacy: late, client: asks(request("GET", "/x", ""))},
		{name: "late answer to an upload elsewhere", settings: impatient, legacy: late, client: asks(request("PUT", "/x", doc))},
		{name: "long target", client: asks(request("GET", "/"+strings.Repeat("x", 40<<10), ""))},
	})
}
