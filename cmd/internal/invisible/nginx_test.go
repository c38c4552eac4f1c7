package invisible_test

import (
	"strings"
	"testing"

	"sluice/cmd/internal/nginxtest"
)

// TestBehindNginx: a front proxy is a client too, in the form in which nginx speaks
// by default (HTTP/1.0) and in the one that is recommended.
func TestBehindNginx(t *testing.T) {
	const doc = `{"doc_id":"nginx"}`
	large := `{"doc_id":"nginx","text":"` + strings.Repeat("x", 11<<20) + `"}`
	chunks := "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	ended := "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nuntil the end"
	rows := []row{
		{name: "GET", client: asks(request("GET", "/a?b=c", ""))},
		{name: "HEAD", client: asks(request("HEAD", "/a", ""))},
		{name: "DELETE", client: asks(request("DELETE", "/a", ""))},
		{name: "PUT", client: asks(request("PUT", "/a", "hello"))},
		{name: "document", client: asks(post(doc, "Content-Type: application/json"))},
		{name: "no document", client: asks(post("hello"))},
		{name: "keyed document", client: asks(post(doc, "Idempotency-Key: k"))},
		{name: "document in chunks", client: asks(inChunks(doc)), may: []difference{buffered}},
		{name: "empty document", client: asks(request("POST", route, "", "Content-Length: 0"))},
		{name: "large document", client: asks(post(large)), may: []difference{buffered}},
		{name: "large document in chunks", client: asks(inChunks(large)), may: []difference{buffered}},
		{name: "large upload", client: asks(request("PUT", "/a", large))},
		{name: "answer in chunks", legacy: says(chunks), client: asks(request("GET", "/a", ""))},
		{name: "answer in chunks to a document", legacy: says(chunks), client: asks(post(doc))},
		{name: "answer until the end", legacy: says(ended), client: asks(request("GET", "/a", ""))},
		{name: "answer until the end to a document", legacy: says(ended), client: asks(post(doc))},
		{name: "no content", legacy: says("HTTP/1.1 204 No Content\r\n\r\n"), client: asks(request("GET", "/a", ""))},
		{name: "cookies", legacy: says("HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"), client: asks(post(doc))},
		{name: "refused", legacy: says("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), client: asks(post(doc))},
		{name: "client that leaves with its answer", client: func(c *client) { c.ask(post(doc, "Connection: close")); c.over() }},
		{name: "many", client: func(c *client) {
			for range 30 {
				c.ask(post(doc))
				c.ask(request("GET", "/a", ""))
			}
		}},
	}
	t.Run("default", func(t *testing.T) {
		playBehind(t, rows, func(t testing.TB, upstream string) string { return nginxtest.Start(t, upstream).Plain })
	})
	t.Run("kept", func(t *testing.T) {
		playBehind(t, rows, func(t testing.TB, upstream string) string { return nginxtest.Start(t, upstream).Kept })
	})
}
