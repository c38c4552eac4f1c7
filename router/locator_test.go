package router_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/router"
)

// located is a request and the doc_id that it brings.
type located struct {
	name, locator, target, body string
	fields                      []string
	want                        string
}

var locatedRows = []located{
	{name: "member", locator: "body:/doc_id", body: `{"doc_id":"a"}`, want: "a"},
	{name: "escaped name and value", locator: "body:/doc_id", body: `{"\u0064oc_id":"\u0061\ud83d\ude42"}`, want: "a🙂"},
	{name: "nested", locator: "body:/meta/id", body: `{"id":"x","meta":{"id":"a"}}`, want: "a"},
	{name: "array", locator: "body:/items/1/id", body: `{"items":[{"id":"x"},{"id":"a"}]}`, want: "a"},
	{name: "array at the root", locator: "body:/0", body: `["a","b"]`, want: "a"},
	{name: "a number as member name", locator: "body:/0/id", body: `{"0":{"id":"a"}}`, want: "a"},
	{name: "slash and tilde", locator: "body:/a~1b~0c", body: `{"a/b~c":"a"}`, want: "a"},
	{name: "tilde one is not a slash", locator: "body:/~01", body: `{"~1":"a","/":"b"}`, want: "a"},
	{name: "empty name", locator: "body:/", body: `{"":"a"}`, want: "a"},
	{name: "space around", locator: "body:/doc_id", body: " \r\n\t{ \"doc_id\" : \"a\" }\n", want: "a"},
	{name: "byte order mark", locator: "body:/doc_id", body: "\ufeff {\"doc_id\":\"a\"}", want: "a"},
	{name: "spaces within", locator: "body:/doc_id", body: `{"doc_id":" a b "}`, want: " a b "},
	{name: "512 bytes", locator: "body:/doc_id", body: `{"doc_id":"` + strings.Repeat("é", 256) + `"}`, want: strings.Repeat("é", 256)},
	{name: "duplicates beside the path", locator: "body:/doc_id", body: `{"a":1,"a":2,"doc_id":"a","b":{"doc_id":1,"DOC_ID":2}}`, want: "a"},
	{name: "bad UTF-8 beside the path", locator: "body:/doc_id", body: "{\"x\":\"\xff\",\"doc_id\":\"a\",\"y\":\"\\ud800\"}", want: "a"},
	{name: "header", locator: "header:x-doc-id", body: "not JSON", fields: []string{"X-Doc-Id", "a"}, want: "a"},
	{name: "header, in UTF-8", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", "naïve"}, want: "naïve"},
	{name: "path", locator: "path:id", target: "/v1/documents/a", want: "a"},
	{name: "path, escaped slash", locator: "path:id", target: "/v1/documents/a%2Fb", want: "a/b"},
	{name: "path, escaped percent", locator: "path:id", target: "/v1/documents/a%2562", want: "a%62"},
	{name: "path, escaped percent and slash", locator: "path:id", target: "/v1/documents/a%252F%2Fb", want: "a%2F/b"},
	{name: "path, escaped letter", locator: "path:id", target: "/v1/documents/%61%20%c3%a9+", want: "a é+"},
	{name: "path, with a query", locator: "path:id", target: "/v1/documents/a?b=c", want: "a"},
	{name: "query", locator: "query:doc_id", target: "/v1/documents?x=1&doc_id=a", want: "a"},
	{name: "query, escaped", locator: "query:doc_id", target: "/v1/documents?doc%5Fid=a%26b+c%2Bd", want: "a&b c+d"},
	{name: "query, bad pairs beside it", locator: "query:doc_id", target: "/v1/documents?doc_id=a&x=%zz&y=1;z=2", want: "a"},
}

func (row located) route(t *testing.T) router.Route {
	r := route(t, row.locator)
	if strings.HasPrefix(row.locator, "path:") {
		r.Pattern += "/{id}"
	}
	return r
}

// ask sends the row's request.
func (row located) ask(d *door) answer {
	target := row.target
	if target == "" {
		target = "/v1/documents"
	}
	return d.send(http.MethodPost, target, row.body, row.fields...)
}

func TestLocators(t *testing.T) {
	for _, row := range locatedRows {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), routes(row.route(t)))
			row.ask(d).want(t, http.StatusOK, `{"by":"temporal"}`)
			got := d.temporal.all()
			if len(got) != 1 || got[0].doc.DocID != row.want || string(got[0].doc.Body) != row.body {
				t.Errorf("Temporal got %+v, want doc_id %q", got, row.want)
			}
			if record := d.observer.next(); record.DocID != row.want {
				t.Errorf("the record names %q", record.DocID)
			}
		})
	}
}

func TestParseLocator(t *testing.T) {
	for _, text := range []string{"body:/a~1b/0", "header:X-Doc-Id", "path:id", "query:doc_id"} {
		if l, err := router.ParseLocator(text); err != nil || l.String() != text {
			t.Errorf("%q was read as %q, %v", text, l, err)
		}
	}
	for _, text := range []string{"", "body", "body:", "body:doc_id", "body:/a~", "body:/a~2", "cookie:a", "header:", ":a"} {
		if l, err := router.ParseLocator(text); err == nil {
			t.Errorf("%q was read as %q", text, l)
		}
	}
}

// A document must not miss its route because its client escapes more than it
// has to: legacy reads %64 as d.
func TestRouteIsFoundHoweverItIsEscaped(t *testing.T) {
	for target, id := range map[string]string{
		"/v1/%64ocuments/a":   "a",
		"/%76%31/documents/b": "b",
		"/v1/documents/%63":   "c",
	} {
		t.Run(target, func(t *testing.T) {
			d := openDoor(t, at(100), routes(located{locator: "path:id"}.route(t)))
			d.send(http.MethodPost, target, "{}").want(t, http.StatusOK, `{"by":"temporal"}`)
			if got := d.temporal.all(); len(got) != 1 || got[0].doc.DocID != id {
				t.Errorf("Temporal got %+v", got)
			}
		})
	}
	t.Run("to legacy as it came", func(t *testing.T) {
		d := openDoor(t, at(0))
		d.send(http.MethodPost, "/v1/%64ocuments?a=%zz", `{"doc_id":"a"}`).wantFields(t, "Rollout-Path", "legacy")
		if got := d.legacy.all(); len(got) != 1 || got[0].target != "/v1/%64ocuments?a=%zz" {
			t.Errorf("legacy got %+v", got)
		}
	})
}
