package router_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// unroutableRows are requests without a usable doc_id; want is the reason.
var unroutableRows = []located{
	{name: "no body", locator: "body:/doc_id", body: "", want: "empty-body"},
	{name: "text", locator: "body:/doc_id", body: "doc_id=a", want: "not-json"},
	{name: "cut off", locator: "body:/doc_id", body: `{"doc_id":"a"`, want: "not-json"},
	{name: "only space", locator: "body:/doc_id", body: " ", want: "not-json"},
	{name: "text after the value", locator: "body:/doc_id", body: `{"doc_id":"a"} x`, want: "not-json"},
	{name: "a second value", locator: "body:/doc_id", body: `{"doc_id":"a"}{"doc_id":"b"}`, want: "not-json"},
	{name: "two byte order marks", locator: "body:/doc_id", body: "\ufeff\ufeff" + `{"doc_id":"a"}`, want: "not-json"},
	{name: "only a byte order mark", locator: "body:/doc_id", body: "\ufeff", want: "not-json"},
	{name: "broken behind the doc_id", locator: "body:/doc_id", body: `{"doc_id":"a","b":[1,}`, want: "not-json"},
	{name: "array cut off", locator: "body:/0", body: `["a"`, want: "not-json"},
	{name: "array broken before the doc_id", locator: "body:/1", body: `[x,"a"]`, want: "not-json"},
	{name: "array broken behind the doc_id", locator: "body:/0", body: `["a",}`, want: "not-json"},
	{name: "no member name", locator: "body:/doc_id", body: `{1:2}`, want: "not-json"},
	{name: "bad escape", locator: "body:/doc_id", body: `{"doc_id":"\x61"}`, want: "not-json"},
	{name: "missing", locator: "body:/doc_id", body: `{"id":"a"}`, want: "missing"},
	{name: "elsewhere", locator: "body:/doc_id", body: `{"a":{"doc_id":"a"}}`, want: "missing"},
	{name: "not an object", locator: "body:/doc_id", body: `"doc_id"`, want: "missing"},
	{name: "a scalar on the way", locator: "body:/meta/id", body: `{"meta":"id"}`, want: "missing"},
	{name: "beyond the array", locator: "body:/2", body: `["a","b"]`, want: "missing"},
	{name: "not an index", locator: "body:/01", body: `["a","b"]`, want: "missing"},
	{name: "empty", locator: "body:/doc_id", body: `{"doc_id":""}`, want: "empty"},
	{name: "number", locator: "body:/doc_id", body: `{"doc_id":1}`, want: "not-a-string"},
	{name: "null", locator: "body:/doc_id", body: `{"doc_id":null}`, want: "not-a-string"},
	{name: "object", locator: "body:/doc_id", body: `{"doc_id":{"a":"b"}}`, want: "not-a-string"},
	{name: "513 bytes", locator: "body:/doc_id", body: `{"doc_id":"` + strings.Repeat("x", 513) + `"}`, want: "too-long"},
	{name: "twice", locator: "body:/doc_id", body: `{"doc_id":"a","doc_id":"b"}`, want: "duplicated"},
	{name: "twice the same", locator: "body:/doc_id", body: `{"doc_id":"a","doc_id":"a"}`, want: "duplicated"},
	{name: "twice, once escaped", locator: "body:/doc_id", body: `{"doc_id":"a","doc\u005fid":"b"}`, want: "duplicated"},
	{name: "twice on the way", locator: "body:/meta/id", body: `{"meta":{"id":"a"},"meta":{}}`, want: "duplicated"},
	{name: "twice within", locator: "body:/meta/id", body: `{"meta":{"id":"a","id":"b"}}`, want: "duplicated"},
	{name: "sibling in capitals", locator: "body:/doc_id", body: `{"doc_id":"a","DOC_ID":"b"}`, want: "ambiguous-case"},
	{name: "only in capitals", locator: "body:/doc_id", body: `{"Doc_ID":"b"}`, want: "ambiguous-case"},
	{name: "folded beyond ASCII", locator: "body:/key", body: `{"key":"a","\u212aey":"b"}`, want: "ambiguous-case"},
	{name: "sibling on the way", locator: "body:/meta/id", body: `{"META":1,"meta":{"id":"a"}}`, want: "ambiguous-case"},
	{name: "not UTF-8", locator: "body:/doc_id", body: "{\"doc_id\":\"a\xff\"}", want: "invalid-utf8"},
	{name: "lone surrogate", locator: "body:/doc_id", body: `{"doc_id":"a\ud800"}`, want: "invalid-utf8"},
	{name: "surrogates in the wrong order", locator: "body:/doc_id", body: `{"doc_id":"\ude42\ud83d"}`, want: "invalid-utf8"},
	{name: "unknown coding", locator: "body:/doc_id", fields: []string{"Content-Encoding", "compress"}, body: "\x1f\x9d\x90", want: "coding"},
	{name: "not in the coding", locator: "body:/doc_id", fields: []string{"Content-Encoding", "gzip"}, body: `{"doc_id":"a"}`, want: "coding"},
	{name: "a bomb", locator: "body:/doc_id", fields: []string{"Content-Encoding", "gzip"}, body: encoded("gzip", padded(2<<20)), want: "expands"},
	{name: "no such header", locator: "header:X-Doc-Id", want: "missing"},
	{name: "empty header", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", " "}, want: "empty"},
	{name: "header twice", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", "a", "X-Doc-Id", "a"}, want: "duplicated"},
	{name: "header not UTF-8", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", "a\xff"}, want: "invalid-utf8"},
	{name: "header too long", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", strings.Repeat("x", 513)}, want: "too-long"},
	{name: "header that legacy will not get", locator: "header:X-Doc-Id", fields: []string{"X-Doc-Id", "a", "Connection", "x-doc-id"}, want: "missing"},
	{name: "path not UTF-8", locator: "path:id", target: "/v1/documents/%ff", want: "invalid-utf8"},
	{name: "path too long", locator: "path:id", target: "/v1/documents/" + strings.Repeat("%2F", 513), want: "too-long"},
	{name: "no such parameter", locator: "query:doc_id", target: "/v1/documents?id=a", want: "missing"},
	{name: "empty parameter", locator: "query:doc_id", target: "/v1/documents?doc_id", want: "empty"},
	{name: "parameter twice", locator: "query:doc_id", target: "/v1/documents?doc_id=a&doc_id=b", want: "duplicated"},
	{name: "parameter not UTF-8", locator: "query:doc_id", target: "/v1/documents?doc_id=%ff", want: "invalid-utf8"},
	{name: "parameter badly escaped", locator: "query:doc_id", target: "/v1/documents?doc_id=%zz", want: "missing"},
	{name: "two tenants", locator: "body:/doc_id", body: `{"doc_id":"a"}`, fields: []string{"X-Tenant", "a", "X-Tenant", "b"}, want: "tenant"},
	{name: "tenant too long", locator: "body:/doc_id", body: `{"doc_id":"a"}`, fields: []string{"X-Tenant", strings.Repeat("x", 257)}, want: "tenant"},
	{name: "tenant not UTF-8", locator: "body:/doc_id", body: `{"doc_id":"a"}`, fields: []string{"X-Tenant", "a\xff"}, want: "tenant"},
	{name: "parameter with a semicolon", locator: "query:doc_id", target: "/v1/documents?doc_id=a;b=c", want: "missing"},
}

func tenants(s *setup) { s.TenantHeader = "X-Tenant" }

// rejecting answers 400 where no document can be told from a request.
func rejecting(s *setup) { s.OnUnroutable = router.Reject }

func TestUnroutable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range unroutableRows {
		seen[row.want] = true
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), rejecting, tenants, routes(row.route(t)))
			got := row.ask(d)
			p := got.wantProblem(t, http.StatusBadRequest, "unroutable", row.want)
			if !strings.Contains(p.Detail, row.locator) {
				t.Errorf("detail %q does not say where to put the doc_id", p.Detail)
			}
			got.wantFields(t, "Rollout-Path", "", "Rollout-Bucket", "", "Rollout-Reason", "unroutable")
			d.wantNothingSent()
			record := d.observer.next()
			if record.Sent || record.Unroutable != row.want || record.Result.Outcome != rollout.OutcomeInvalid || record.DocID != "" {
				t.Errorf("record %+v", record)
			}
		})
	}
	for _, reason := range rollout.UnroutableReasons() {
		if limit := reason == "too-large" || reason == "too-slow" || reason == "overload"; !limit && !seen[reason] { // limits have tests of their own
			t.Errorf("no row for %q", reason)
		}
	}
}

func TestUnroutableToLegacy(t *testing.T) {
	for _, row := range unroutableRows {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), tenants, routes(row.route(t)))
			got := row.ask(d)
			got.want(t, http.StatusOK, "by legacy")
			got.wantFields(t, "Rollout-Path", "legacy", "Rollout-Bucket", "", "Rollout-Reason", "unroutable")
			if all := d.legacy.all(); len(all) != 1 || all[0].body != row.body {
				t.Errorf("legacy got %+v", all)
			}
			if all := d.temporal.all(); len(all) > 0 {
				t.Errorf("Temporal got %+v", all)
			}
			record := d.observer.next()
			if !record.Sent || record.Unroutable != row.want || record.Decision.Path != rollout.Legacy || record.Decision.Reason != rollout.ReasonUnroutable {
				t.Errorf("record %+v", record)
			}
		})
	}
}

// A pair that Go drops may be the doc_id to a parser that keeps it, or that
// splits at semicolons.
func TestQueryDoubtfulOnlyToLegacyIsRefused(t *testing.T) {
	for _, query := range []string{"doc_id=a&doc_id=%zz", "doc_id=a&x=1;doc_id=b", "doc_id=%zz&doc%5fid=a"} {
		t.Run(query, func(t *testing.T) {
			d := openDoor(t, at(100), rejecting, routes(route(t, "query:doc_id")))
			d.send(http.MethodPost, "/v1/documents?"+query, "").wantProblem(t, http.StatusBadRequest, "unroutable", "duplicated")
			d.wantNothingSent()
		})
	}
}
