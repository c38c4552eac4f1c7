package router_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// What brings no document is legacy's, unread and unjudged, at any exposure.
func TestEverythingElsePassesToLegacy(t *testing.T) {
	for _, row := range []struct{ method, target, body string }{
		{"GET", "/v1/documents", ""},
		{"HEAD", "/v1/documents", ""},
		{"OPTIONS", "/v1/documents", ""},
		{"PUT", "/v1/documents", `{"doc_id":"a"}`},
		{"PATCH", "/v1/documents", "{"},
		{"DELETE", "/v1/documents", ""},
		{"PROPFIND", "/v1/documents", "<a/>"},
		{"post", "/v1/documents", `{"doc_id":"a"}`},
		{"POST", "/v1/documents/", `{"doc_id":"a"}`},
		{"POST", "/v1/document", `{"doc_id":"a"}`},
		{"POST", "/V1/documents", `{"doc_id":"a"}`},
		{"POST", "//v1/documents", `{"doc_id":"a"}`},
		{"POST", "/v1/x/../documents", `{"doc_id":"a"}`},
		{"GET", "/", ""},
		{"GET", "/a%2Fb/%c3%a9?c=%zz;d&&", ""},
		{"GET", "/_sluices", ""},
		{"GET", "/x/_sluice/documents/a", ""},
		{"GET", "/_Sluice/documents/a", ""},
		{"OPTIONS", "*", ""},
	} {
		t.Run(row.method+" "+row.target, func(t *testing.T) {
			d := openDoor(t, at(100))
			c := d.dial()
			c.send(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nX-A: b\r\nConnection: close\r\n\r\n%s",
				row.method, row.target, len(row.body), row.body))
			got, err := http.ReadResponse(c.in, &http.Request{Method: row.method})
			if err != nil {
				t.Fatal(err)
			}
			whole(t, got).wantFields(t, "Rollout-Path", "", "Rollout-Bucket", "", "Rollout-Reason", "")
			all := d.legacy.all()
			if got.StatusCode != http.StatusOK || len(all) != 1 {
				t.Fatalf("answer %d, legacy got %+v", got.StatusCode, all)
			}
			f := all[0]
			if f.method != row.method || f.target != row.target || f.body != row.body || f.buffered || f.header.Get("X-A") != "b" {
				t.Errorf("legacy got %+v", f)
			}
			record := d.observer.next()
			if record.Route != "" || !record.Sent || record.Method != row.method || record.Decision.Path != rollout.Legacy || record.BytesIn != int64(len(row.body)) {
				t.Errorf("record %+v", record)
			}
		})
	}
}

// No limit of documents is a limit of other requests.
func TestPassedBodyIsNotBounded(t *testing.T) {
	d := openDoor(t, limits(func(l *router.BodyLimits) { l.Max, l.Budget = 1, 1 }))
	d.send(http.MethodPut, "/other", strings.Repeat("x", 100_000)).want(t, http.StatusOK, "by legacy")
	d.do(d.request(http.MethodPut, "/other", chunked(strings.Repeat("x", 100_000)))).want(t, http.StatusOK, "by legacy")
}

// Nothing under the gateway's own prefix reaches legacy. Methods that chi does
// not know once did, and paths with more escapes than they need.
func TestOwnPathsNeverReachLegacy(t *testing.T) {
	for _, row := range []struct{ method, target string }{
		{"GET", "/_sluice"},
		{"GET", "/_sluice/"},
		{"GET", "/_sluice/x"},
		{"GET", "/_sluice/documents"},
		{"GET", "/_sluice/documents/"},
		{"GET", "/_sluice/documents/x"},
		{"GET", "/_sluice/documents/x/y"},
		{"GET", "/_sluice?a=b"},
		{"POST", "/_sluice/documents/x"},
		{"DELETE", "/_sluice/documents/x"},
		{"OPTIONS", "/_sluice/x"},
		{"PROPFIND", "/_sluice/x"},
		{"PURGE", "/_sluice"},
		{"get", "/_sluice/documents/x"},
		{"GET", "/%5fsluice/x"},
		{"GET", "/_sluice%2Fx"},
		{"POST", "/%5Fsluice%2fdocuments"},
	} {
		t.Run(row.method+" "+row.target, func(t *testing.T) {
			d := openDoor(t, at(100))
			c := d.dial()
			c.send(row.method + " " + row.target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n" + `{"doc_id":"a"}`)
			c.answer().wantProblem(t, http.StatusNotFound, "unknown-resource", "")
			d.wantNothingSent()
		})
	}
}

func TestRefusedBeforeAllElse(t *testing.T) {
	for name, row := range map[string]struct {
		head   string
		status int
		slug   string
	}{
		"CONNECT":                {"CONNECT a:443 HTTP/1.1\r\nHost: a:443", 405, "connect"},
		"CONNECT of a path":      {"CONNECT /v1/documents HTTP/1.1\r\nHost: a", 405, "connect"},
		"NUL in a path":          {"GET /a%00b HTTP/1.1\r\nHost: a", 400, "path"},
		"NUL in a doc's path":    {"POST /v1/documents/a%00 HTTP/1.1\r\nHost: a", 400, "path"},
		"NUL in an absolute URL": {"GET http://a/%00 HTTP/1.1\r\nHost: a", 400, "path"},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100), routes(located{locator: "path:id"}.route(t)))
			c := d.dial()
			c.send(row.head + "\r\n\r\n")
			c.answer().wantProblem(t, row.status, row.slug, "")
			d.wantNothingSent()
		})
	}
}

// Whatever the answer is, its client turns to another gateway.
func TestDrain(t *testing.T) {
	d := openDoor(t, at(100), looking(nil))
	if d.router.Draining() {
		t.Error("it drains already")
	}
	before := d.dial()
	before.send(rawDocument)
	if before.answer().closes {
		t.Error("connections are closed before the drain")
	}
	d.router.Drain()
	if !d.router.Draining() {
		t.Error("it does not drain")
	}
	before.send(rawDocument)
	before.wantLast()
	for _, raw := range []string{
		"GET /other HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /_sluice/x HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /v1/documents HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
	} {
		c := d.dial()
		c.send(raw)
		c.wantLast()
	}
}

// wantLast checks that the next answer says that it is the connection's last.
func (c *conn) wantLast() {
	c.t.Helper()
	if got := c.answer(); !got.closes {
		c.t.Errorf("answer %d %v keeps the connection", got.status, got.header)
	}
	c.wantClosed()
}
