package router_test

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/router"
)

// spelt sends a request line as it stands.
func (d *door) spelt(t *testing.T, method, target string) *http.Response {
	t.Helper()
	const body = `{"doc_id":"a"}`
	c := d.dial()
	c.send(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method, target, len(body), body))
	got, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// What a lenient legacy may take for the route is told; what is none is not.
func TestOtherSpellingsAreTold(t *testing.T) {
	other := func(pattern string) router.Route {
		r := route(t, "body:/doc_id")
		r.Pattern = pattern
		return r
	}
	for _, row := range []struct {
		pattern, target string
		told            bool
	}{
		{"/v1/documents", "/v1/documents/", true},
		{"/v1/documents", "//v1/documents", true},
		{"/v1/documents", "/v1//documents//", true},
		{"/v1/documents", "/v1/./documents", true},
		{"/v1/documents", "/v1/x/../documents", true},
		{"/v1/documents", "/V1/Documents", true},
		{"/v1/documents", "/v1%2Fdocuments", true},
		{"/v1/documents", "/v1/%2e/%44ocuments/?a=b", true},
		{"/v1/documents/", "/v1/documents", true},
		{"/v1/Documents", "/v1/documents", true},
		{"/V1/{Tenant}/documents", "/v1/Acme//documents", true},
		{"/v1/{id:[a-z]{2}}/documents", "/v1/ab/documents/", true},
		{"/v1/documents", "/v1/document", false},
		{"/v1/documents", "/v1/documents/a", false},
		{"/v1/documents", "/v2/documents", false},
		{"/v1/documents", "/", false},
	} {
		t.Run(row.pattern+" "+row.target, func(t *testing.T) {
			for _, reject := range []bool{false, true} {
				d := openDoor(t, at(100), routes(other(row.pattern)), func(s *setup) { s.RejectSpellings = reject })
				answer := d.spelt(t, "POST", row.target)
				record := d.observer.next()
				rejected := reject && row.told
				if (record.Spelling == "documents") != row.told || record.Sent == rejected || (answer.StatusCode == http.StatusBadRequest) != rejected {
					t.Errorf("reject %v: %d, %+v", reject, answer.StatusCode, record)
				}
				if all := d.legacy.all(); rejected != (len(all) == 0) || len(all) == 1 && all[0].target != row.target {
					t.Errorf("reject %v: legacy got %+v", reject, all)
				}
			}
		})
	}
}

// Escaped letters are the same path (RFC 3986), so they are the route; another
// method is none of it.
func TestWhatIsNoOtherSpelling(t *testing.T) {
	d := openDoor(t, at(100), func(s *setup) { s.RejectSpellings = true })
	d.spelt(t, "POST", "/v1/%64ocuments")
	if record := d.observer.next(); record.Route != "documents" || record.Spelling != "" || record.DocID != "a" {
		t.Errorf("escaped letters: %+v", record)
	}
	d.spelt(t, "PUT", "/v1/documents/")
	if record := d.observer.next(); record.Route != "" || record.Spelling != "" || !record.Sent {
		t.Errorf("another method: %+v", record)
	}
}
