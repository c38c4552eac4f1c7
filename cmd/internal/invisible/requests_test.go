package invisible_test

import (
	"fmt"
	"strings"
	"testing"
)

// The door's rows use the ingestion route and a path that is none.
const (
	route     = "/v1/documents"
	elsewhere = "/things/7?full=1"
)

// request returns a whole request of HTTP/1.1. Each of lines is a field.
func request(method, target, body string, lines ...string) string {
	head := method + " " + target + " HTTP/1.1\r\nHost: docs.example\r\n" + strings.Join(append(lines, ""), "\r\n")
	if body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return head + "\r\n" + body
}

// post is a request of the ingestion route.
func post(body string, lines ...string) string { return request("POST", route, body, lines...) }

// asks is a client that asks one thing, and once more whether it is still served.
func asks(raw string) func(c *client) {
	return func(c *client) {
		c.ask(raw)
		c.again()
	}
}

func TestMethods(t *testing.T) {
	var rows []row
	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "POST", "TRACE", "PROPFIND", "PURGE", "M-SEARCH", "post", "X!"} {
		for _, target := range []string{route, elsewhere} {
			rows = append(rows, row{name: method + " " + target, client: asks(request(method, target, "")),
				legacy: says("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 0\r\n\r\n")})
		}
	}
	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH", "PROPFIND"} {
		rows = append(rows,
			row{name: method + " with a body", client: asks(request(method, elsewhere, `{"a":1}`, "Content-Type: application/json")),
				legacy: says("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 0\r\n\r\n")},
			row{name: method + " with a body in chunks", client: asks(request(method, elsewhere, "", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n"),
				legacy: says("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 0\r\n\r\n")},
		)
	}
	rows = append(rows,
		row{name: "OPTIONS of the server", client: asks(request("OPTIONS", "*", "")), legacy: says("HTTP/1.1 204 No Content\r\nAllow: GET, POST\r\n\r\n")},
		row{name: "preflight", client: asks(request("OPTIONS", route, "", "Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")),
			legacy: says("HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: https://app.example\r\nVary: Origin\r\nVary: Access-Control-Request-Method\r\nAccess-Control-Allow-Methods: POST\r\nAccess-Control-Max-Age: 600\r\n\r\n")},
		row{name: "method override", client: asks(post(`{"doc_id":"a"}`, "X-HTTP-Method-Override: DELETE"))},
		row{name: "method override spelt otherwise", client: asks(post(`{"doc_id":"a"}`, "X-Http-Method: DELETE", "X-Method-Override: DELETE"))},
		row{name: "POST without a body on the route", client: asks(request("POST", route, "", "Content-Length: 0"))},
		row{name: "empty chunked body on the route", client: asks(request("POST", route, "", "Transfer-Encoding: chunked") + "0\r\n\r\n")},
	)
	play(t, rows)
}

func TestFields(t *testing.T) {
	doc := `{"doc_id":"fields"}`
	lines := map[string][]string{
		"underscores":        {"X_Request_Id: 7", "api_key: secret", "X_Tenant: a", "X-Tenant: b"},
		"many lines":         {"X-A: 1", "X-B: 2", "X-A: 3", "Accept: a/b", "Accept: c/d", "Cookie: a=1", "Cookie: b=2"},
		"empty":              {"X-Empty:", "Accept:", "User-Agent:", "Cookie:"},
		"odd bytes":          {"X-Latin: caf\xe9", "X-UTF: caf\u00e9", "X-Tab: a\tb", "X-Marks: \"a\\\"b\", 'c' <d> {e}"},
		"odd names":          {"!#$%&'*+-.^_`|~: 1", "7: 2", "x--y: 3"},
		"no agent":           {"Accept-Encoding: br"},
		"range":              {"Range: bytes=0-3", "If-Range: \"x\"", "If-None-Match: W/\"y\"", "If-Match: *"},
		"authorization":      {"Authorization: Basic YTpi", "Authorization: Bearer b"},
		"keep-alive":         {"Connection: keep-alive", "Keep-Alive: timeout=5"},
		"te":                 {"TE: trailers, deflate;q=0.5", "Connection: TE"},
		"accept-encoding":    {"Accept-Encoding: gzip, deflate, br, zstd"},
		"idempotency key":    {"Idempotency-Key: \"8e03978e\""},
		"x-idempotency key":  {"X-Idempotency-Key: 8e03978e"},
		"two keys":           {"Idempotency-Key: a", "Idempotency-Key: b"},
		"method fields":      {"Max-Forwards: 0", "Pragma: no-cache", "Cache-Control: no-cache", "Upgrade-Insecure-Requests: 1"},
		"expect of another":  {"Expect: 200-ok"},
		"expect nothing":     {"Expect:"},
		"trace context":      {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b"},
		"early data":         {"Early-Data: 1", "Priority: u=1", "Sec-Fetch-Mode: cors", "DNT: 1"},
		"forwarding by name": {"X-Forwarded-For: 10.0.0.1", "X-Real-IP: 10.0.0.1", "Forwarded: for=10.0.0.1", "X-Forwarded-Prefix: /a"},
		"via":                {"Via: 1.1 front"},
		"near the limit":     {"X-Long: " + strings.Repeat("v", 60<<10)},
		"very many":          manyFields(1500),
	}
	var rows []row
	may := map[string][]difference{"expect of another": {foreignExpect}}
	for name, fields := range lines {
		rows = append(rows,
			row{name: name + " on the route", client: asks(post(doc, fields...)), may: may[name]},
			row{name: name + " elsewhere", client: asks(request("GET", elsewhere, "", fields...)), may: may[name]})
	}
	for name, host := range map[string]string{"capitals": "DOCS.Example", "port": "docs.example:8080", "port 80": "docs.example:80",
		"address": "[::1]:8080", "dot": "docs.example.", "empty": "", "underscore": "my_docs.example", "punycode": "xn--bcher-kva.example"} {
		raw := " HTTP/1.1\r\nHost: " + host + "\r\n"
		var may []difference
		if host == "" {
			may = []difference{anyHost}
		}
		rows = append(rows,
			row{name: "host with " + name, client: asks("GET " + elsewhere + raw + "\r\n"), may: may},
			row{name: "host on the route with " + name, client: asks("POST " + route + raw + "Content-Length: 19\r\n\r\n" + doc), may: may})
	}
	rows = append(rows, row{name: "credentials for a proxy", client: asks(post(doc, "Proxy-Authorization: Basic Yzpk")), may: []difference{ofProxies}})
	play(t, rows)
}

func manyFields(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("X-%d: %d", i, i))
	}
	return lines
}

// The target is legacy's to understand, byte for byte.
func TestTargets(t *testing.T) {
	var rows []row
	for _, target := range []string{
		"/", "/a%2Fb", "/a%2fb", "//a", "/a//b", "/a/../b", "/./a", "/a/", "/a;x=y", "/a.json", "/%41", "/%7e", "/~", "/a b"[:2], "/a%20b", "/a+b",
		"/a?", "/a??", "/a?b=c&b=d", "/a?a=1;b=2&c=%zz", "/a?%00", "/a?q=a'b\"c", "/a?<script>", "/a?{x}|y^`", "/a{x}|y^`", "/a\\b", "/a\"b", "/a:b@c", "/a[1]",
		"/caf\xc3\xa9", "/caf\xe9", "/a?caf\xe9", "/a%ff", "/a/%2e%2e/b", "/v1/documents/", "//v1/documents", "/V1/Documents", "/v1/documents/7", "/v1%2Fdocuments",
		"/v1/documents?dry=1", "/v1/d%6Fcuments", "/_sluicery", "/a?http://b/c", "/a*", "/:80", "/" + strings.Repeat("x", 8<<10),
		"http://docs.example/a?b", "http://docs.example", "http://docs.example?b", "HTTP://DOCS.example/a",
	} {
		r := row{name: "GET " + quoted(target)[:min(40, len(quoted(target)))], client: asks(request("GET", target, ""))}
		if !strings.HasPrefix(target, "/") {
			r.may = []difference{originForm}
		}
		rows = append(rows, r)
		if strings.Contains(strings.ToLower(target), "documents") {
			rows = append(rows, row{name: "POST " + quoted(target), client: asks(request("POST", target, `{"doc_id":"target"}`))})
		}
	}
	rows = append(rows,
		row{name: "absolute form on the route", client: asks(request("POST", "http://docs.example/v1/documents", `{"doc_id":"target"}`)), may: []difference{originForm}},
		row{name: "NUL in a path", client: asks(request("GET", "/a%00b", "")), may: []difference{refused("NUL in a path ends the name of a file for one server and not for another")}},
		row{name: "bad escape in a path", client: asks(request("GET", "/a%zz", "")), may: []difference{refused("no two parsers agree what a bad escape is")}},
		row{name: "fragment in a target", client: asks(request("GET", "/a#b", "")), may: []difference{refused("a fragment is no part of a target (RFC 9112, 3.2)")}},
		row{name: "own path", client: asks(request("GET", "/_sluice/x", "")), may: []difference{own}},
	)
	play(t, rows)
}
