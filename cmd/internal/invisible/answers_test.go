package invisible_test

import (
	"strings"
	"testing"
)

const dated = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"

// TestAnswers: what legacy answers is what the client gets, on the route and elsewhere.
func TestAnswers(t *testing.T) {
	var rows []row
	for name, raw := range map[string]string{
		"reason of its own":        "HTTP/1.1 200 Fine Indeed\r\nContent-Length: 0\r\n\r\n",
		"no reason":                "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
		"not even a blank":         "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"unknown status":           "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n",
		"status 599":               "HTTP/1.1 599 Odd\r\nContent-Length: 1\r\n\r\nx",
		"status 700":               "HTTP/1.1 700 Odd\r\nContent-Length: 1\r\n\r\nx",
		"no fields":                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"nothing known of a type":  "HTTP/1.1 200 OK\r\n" + dated + "Content-Length: 15\r\n\r\n<html></html>\r\n",
		"empty type":               "HTTP/1.1 200 OK\r\n" + dated + "Content-Type:\r\nContent-Length: 2\r\n\r\nok",
		"empty body":               "HTTP/1.1 200 OK\r\n" + dated + "Content-Type: a/b\r\nContent-Length: 0\r\n\r\n",
		"cookies":                  "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Expires=Wed, 21 Oct 2065 07:28:00 GMT\r\nSet-Cookie: a=3\r\nContent-Length: 0\r\n\r\n",
		"many of one name":         "HTTP/1.1 200 OK\r\nVary: a\r\nLink: <b>\r\nVary: c, d\r\nLink: <e>\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n",
		"odd names and bytes":      "HTTP/1.1 200 OK\r\nx_under: 1\r\n!~: 2\r\nX-Latin: caf\xe9\r\nX-Tab: a\tb\r\nETag: \"\xff\"\r\nContent-Length: 0\r\n\r\n",
		"gateway's own words":      "HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nServer: y\r\nX-Powered-By: z\r\nContent-Length: 0\r\n\r\n",
		"HSTS and CORS":            "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nAccess-Control-Allow-Origin: *\r\nAlt-Svc: h3=\":443\"\r\nContent-Length: 0\r\n\r\n",
		"redirect":                 "HTTP/1.1 302 Found\r\nLocation: /login?next=/v1\r\nContent-Length: 0\r\n\r\n",
		"redirect elsewhere":       "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://docs.example//a b%zz\r\nContent-Length: 0\r\n\r\n",
		"unauthorised":             "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"a\"\r\nWWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\nno",
		"proxy authentication":     "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
		"upgrade required":         "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n",
		"not modified":             "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Type: a/b\r\n\r\n",
		"not modified, with size":  "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 500\r\n\r\n",
		"no content":               "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n",
		"no content, with size":    "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
		"reset content":            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
		"created":                  "HTTP/1.1 201 Created\r\nLocation: http://docs.example/v1/documents/7\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\n{}",
		"accepted":                 "HTTP/1.1 202 Accepted\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n",
		"server error":             "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\noops",
		"overloaded":               "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Fri, 31 Dec 2066 23:59:59 GMT\r\nContent-Length: 4\r\n\r\noops",
		"timed out":                "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
		"compressed":               "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
		"part":                     "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/10\r\nAccept-Ranges: bytes\r\nContent-Length: 4\r\n\r\nabcd",
		"chunks":                   "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
		"no chunks":                "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"trailers":                 "HTTP/1.1 200 OK\r\nTrailer: X-Sum, X-More\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
		"trailers not announced":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n",
		"trailers announced, none": "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"gRPC's trailers":          "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n1\r\na\r\n0\r\ngrpc-status: 0\r\n\r\n",
		"until the end":            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nuntil the end",
		"until the end, of 1.0":    "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nuntil the end",
		"early hints":              "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"several interim":          "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"interim of its own":       "HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"large fields":             "HTTP/1.1 200 OK\r\nX-Large: " + strings.Repeat("y", 200<<10) + "\r\nContent-Length: 0\r\n\r\n",
		"folded field":             "HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"length said twice":        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"Rollout fields":           "HTTP/1.1 200 OK\r\nRollout-Path: mine\r\nContent-Length: 0\r\n\r\n",
	} {
		for _, ask := range []string{"GET", "HEAD", "POST"} {
			send := request(ask, "/things", "")
			if ask == "POST" {
				send = post(`{"doc_id":"answers"}`)
			}
			r := row{name: ask + " " + name, legacy: says(raw), client: asks(send)}
			switch {
			case strings.Contains(raw, "Connection: close"):
				r.may = append(r.may, kept)
			case name == "length said twice":
				r.may = append(r.may, once)
			case name == "proxy authentication":
				r.may = append(r.may, ofProxies)
			case name == "folded field":
				r.may = append(r.may, unfolded)
			}
			rows = append(rows, r)
		}
	}
	play(t, rows)
}

// cutLast cuts after the last head, which that of an interim answer is not.
func cutLast(raw string) (heads, body string) {
	for body = raw; ; {
		head, after, whole := strings.Cut(body, "\r\n\r\n")
		if !whole {
			return heads, body
		}
		heads, body = heads+head+"\r\n\r\n", after
		if !strings.HasPrefix(head, "HTTP/1.1 1") {
			return heads, body
		}
	}
}

// TestBrokenAnswers: what is no whole answer never looks like one.
func TestBrokenAnswers(t *testing.T) {
	drop := func(raw string) func() script {
		return each(func(x *exchange) { x.body(); x.say(raw); x.hangUp() })
	}
	reset := func(raw string) func() script {
		return each(func(x *exchange) { x.body(); x.say(raw); x.await("it arrived"); x.reset() })
	}
	var rows []row
	for _, where := range []string{"elsewhere", "on the route"} {
		send := request("GET", "/x", "")
		if where == "on the route" {
			send = post(`{"doc_id":"broken"}`)
		}
		asks := func(c *client) { c.ask(send) }
		rows = append(rows,
			row{name: "cut length " + where, legacy: drop("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\n0123456789"), client: asks},
			row{name: "cut chunks " + where, legacy: drop("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"), client: asks},
			row{name: "cut in a chunk " + where, legacy: drop("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n0123456789"), client: asks},
			row{name: "cut in a head " + where, legacy: drop("HTTP/1.1 200 OK\r\nContent-Ty"), client: asks, may: []difference{noAnswer}},
			row{name: "no answer " + where, legacy: drop(""), client: asks, may: []difference{noAnswer}},
			row{name: "reset in the answer " + where, legacy: reset("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\n0123456789"), client: func(c *client) {
				c.send(send)
				c.until("0123456789")
				c.signal("it arrived")
				c.over()
			}, may: []difference{bytewise}},
		)
	}
	play(t, rows)
}
