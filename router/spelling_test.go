package router_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

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
		{"/v1/documents", "/v1/documents;x=y", true},
		{"/v1/documents", "/v1;a=b/documents", true},
		{"/v1/documents", "/v1/x/..;/documents", true},
		{"/v1/documents", `/v1\documents`, true},
		{"/v1/documents", "/v1/documents%5c", true},
		{"/v1/documents", "/v1/documents.", true},
		{"/v1/documents", "/v1/documents%20", true},
		{"/v1/documents", "/v1/documents.json", true},
		{"/v1/documents", "/v1/documents.en.html", true},
		{"/v1/documents", "/v1/documents%2Ejson;x/", true},
		{"/v1/documents", "/v1%252Fdocuments", true},
		{"/v1/documents", "/v1%25252525252Fdocuments", true},
		{"/v1/documents", "/v1%25u002fdocuments", true},
		{"/v1/documents", "/v1%C0%AFdocuments", true},
		{"/v1/documents", "/v1/documents/.", true},
		{"/v1/documents", "/v1/documents%2500.x", true},
		{"/v1/documents", "/v1/documents::$DATA", true},
		{"/v1/documents", "/v1/%EF%BD%84ocuments", true},
		{"/v1/bookmarks", "/v1/boo%E2%84%AAmarKs", true},
		{"/v1/documents", "/index.php/v1/documents", true},
		{"/v1/documents.json", "/v1/documents", true},
		{"/v1/{id:^[A-Z]{2}}/documents", "/v1/AB/documents/", true},
		{"/v1/{id}.json", "/v1/a.json/", true},
		{"/v1/document", "/v1/document.v1.0", false},
		{"/documents/v1.0", "/documents/v1.1", false},
		{"/v1/documents", "/v1/documents:batch", false},
		{"/v1/documents", "/v1/documents;x/a", false},
		{"/v1/documents", "/v1/documents.0", false},
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

// mutations turn a path into another that a common server takes for the same. Those of
// the first kind work on what the path says, those of the second on how it is written.
func mutations() (meaning, writing []func(*rand.Rand, string) string) {
	at := func(random *rand.Rand, path string, put string) string { // before a random slash
		cuts := []int{}
		for i, c := range path {
			if c == '/' {
				cuts = append(cuts, i)
			}
		}
		i := cuts[random.IntN(len(cuts))]
		return path[:i] + put + path[i:]
	}
	for _, put := range []string{"/", "/.", "/x/..", "/;a=b", "/%20", "/x/%2e%2E"} {
		meaning = append(meaning, func(random *rand.Rand, path string) string { return at(random, path, put) })
	}
	meaning = append(meaning, func(random *rand.Rand, path string) string {
		return strings.Replace(path, "/", "/ ", 1+random.IntN(3))
	})
	for _, end := range []string{"/", ".", " ", ";x=y", ";", ".json", ".xml", "/.", "\t", "\\", "%00.html", "#x", "?a=b", "::$DATA"} {
		meaning = append(meaning, func(_ *rand.Rand, path string) string {
			if strings.HasSuffix(path, ".") && end == "." { // a step up is another path
				return path
			}
			return path + end
		})
	}
	one := func(change func(c byte) string) func(*rand.Rand, string) string {
		return func(random *rand.Rand, path string) string {
			i := random.IntN(len(path))
			if path[i] >= utf8.RuneSelf { // a part of a letter
				return path
			}
			return path[:i] + change(path[i]) + path[i+1:]
		}
	}
	writing = append(writing,
		one(func(c byte) string { return strings.ToUpper(string(rune(c))) }),
		one(func(c byte) string { return fmt.Sprintf("%%%02x", c) }),
		one(func(c byte) string { return fmt.Sprintf("%%25%02X", c) }),
		one(func(c byte) string { return fmt.Sprintf("%%u%04x", c) }),
		one(func(c byte) string {
			if c > ' ' && c != '/' && c < 0x7F { // its full-width form
				return string(rune(c) + 0xFEE0)
			}
			return string(rune(c))
		}),
		one(func(c byte) string {
			if c == '/' {
				return "\\"
			}
			return string(rune(c))
		}))
	return meaning, writing
}

// Whatever is done to a route's path, one upon the other, it is found; and another path
// with the same done to it is not.
func TestSpellingsAreFoundHoweverTheyAreMixed(t *testing.T) {
	documents, parts := route(t, "body:/doc_id"), route(t, "body:/doc_id")
	documents.Pattern = "/v1/documents"
	parts.Name, parts.Pattern = "parts", "/v1/archives/{id}/parts"
	find := router.SpeltRoute([]router.Route{documents, parts})
	paths := map[string]string{
		"/v1/documents": "documents", "/v1/archives/a-1/parts": "parts",
		"/v1/document": "", "/v2/documents": "", "/v1/documents/a": "", "/v1/documentsa": "", "/documents": "", "/v1": "",
		"/v1/archives/parts": "", "/v1/archives/a/b/parts": "", "/v1/archives/a/part": "", "/other/v1/documents": "",
	}
	meaning, writing := mutations()
	random := rand.New(rand.NewPCG(3, 4))
	for path, want := range paths {
		for range 1000 {
			spelt := path
			for range random.IntN(4) {
				spelt = meaning[random.IntN(len(meaning))](random, spelt)
			}
			for range random.IntN(4) {
				spelt = writing[random.IntN(len(writing))](random, spelt)
			}
			method := []string{"POST", "post"}[random.IntN(2)]
			if got := find(&http.Request{Method: method, URL: &url.URL{Path: spelt}}); got != want {
				t.Fatalf("%s %q, which is %s, was taken for %q, not %q", method, spelt, path, got, want)
			}
		}
	}
}

// A path that is made to be costly costs as much as it is long.
func TestCanonicalFormIsCheap(t *testing.T) {
	find := router.SpeltRoute([]router.Route{route(t, "body:/doc_id")})
	for _, path := range []string{
		"/" + strings.Repeat("%25", 1<<16), "/%" + strings.Repeat("25", 1<<16), strings.Repeat("/a.b", 1<<16), strings.Repeat(".a", 1<<16),
		strings.Repeat("../", 1<<16), strings.Repeat("%c0%ae", 1<<16), "/" + strings.Repeat("; ", 1<<16),
	} {
		if got := find(&http.Request{Method: "POST", URL: &url.URL{Path: path}}); got != "" {
			t.Errorf("%.20q was taken for %s", path, got)
		}
	}
}
