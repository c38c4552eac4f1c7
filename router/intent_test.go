package router_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
)

// wish is a request; fields are pairs of name and value.
type wish struct {
	name, target, body string
	fields             []string
}

// intents sends the wishes to Temporal and returns the intent of each.
func intents(t *testing.T, wishes []wish) map[string]rollout.Intent {
	t.Helper()
	second := route(t, "body:/doc_id")
	second.Name, second.Pattern = "notes", "/v1/notes"
	d := openDoor(t, at(100), routes(route(t, "body:/doc_id"), second), func(s *setup) { s.TenantHeader = "x-tenant" })
	all := map[string]rollout.Intent{}
	for _, w := range wishes {
		d.send(http.MethodPost, w.target, w.body, w.fields...)
		all[w.name] = d.observer.next().Intent
	}
	return all
}

// wantOne checks that the wishes are one intent, and wantMany that no two are.
func wantOne(t *testing.T, all map[string]rollout.Intent, kind string) {
	t.Helper()
	first := rollout.Intent("")
	for name, intent := range all {
		if first == "" {
			first = intent
		}
		if intent != first || !strings.HasPrefix(string(intent), kind) {
			t.Errorf("%s is the intent %s, want %s", name, intent, first)
		}
	}
}

func wantMany(t *testing.T, all map[string]rollout.Intent) {
	t.Helper()
	seen := map[rollout.Intent]string{}
	for name, intent := range all {
		if other, twice := seen[intent]; twice {
			t.Errorf("%s is the same intent as %s", name, other)
		}
		seen[intent] = name
	}
}

const (
	here = "/v1/documents"
	docA = `{"doc_id":"a"}`
)

func TestRetryIsTheSameIntent(t *testing.T) {
	wantOne(t, intents(t, []wish{
		{"first", here, docA, nil},
		{"again", here, docA, nil},
		{"with a field that says nothing of the wish", here, docA, []string{"User-Agent", "b", "Prefer", "wait=1"}},
		{"with an empty key", here, docA, []string{"Idempotency-Key", ""}},
	}), "d")
	wantOne(t, intents(t, []wish{
		{"first", here, docA, []string{"Idempotency-Key", "k"}},
		{"again", here, docA, []string{"Idempotency-Key", "k"}},
		{"changed", here, `{"doc_id":"a","b":1}`, []string{"idempotency-key", "k"}},
		{"asked otherwise", here + "?b=c", docA, []string{"Idempotency-Key", "k", "Content-Type", "b"}},
	}), "k")
}

// What the workflow is told of makes the wish: with another value it is another one, and
// under one key another request.
func TestHandedOnFieldsArePartOfTheIntent(t *testing.T) {
	told := route(t, "body:/doc_id")
	told.Headers = []string{"x-priority"}
	d := openDoor(t, at(100), routes(told), running(completed(rollout.Answer{Status: 200})))
	for _, row := range []struct {
		priority, other string
		runs            int
	}{{"1", "a", 1}, {"1", "b", 1}, {"2", "a", 2}, {"2", "c", 2}, {"", "", 3}} {
		d.send(http.MethodPost, here, docA, "X-Priority", row.priority, "X-Other", row.other).want(t, 200, "")
		runs := d.temporal.all()
		if len(runs) != row.runs {
			t.Fatalf("%+v: %d runs", row, len(runs))
		}
		if got := runs[len(runs)-1].doc.Header["X-Priority"]; len(got) != 1 || got[0] != row.priority {
			t.Errorf("%+v: the workflow is told %q", row, got)
		}
	}
	d.send(http.MethodPost, here, docA, "Idempotency-Key", "k", "X-Priority", "1").want(t, 200, "")
	d.send(http.MethodPost, here, docA, "Idempotency-Key", "k", "X-Priority", "2").wantProblem(t, http.StatusUnprocessableEntity, "key-reused", "")
}

// The document says how it was asked for.
func TestTheDocumentTellsWhatWasAsked(t *testing.T) {
	asked := route(t, "path:id")
	asked.Method, asked.Pattern = http.MethodPut, "/v1/{kind}/documents/{id}"
	d := openDoor(t, at(100), routes(asked), func(s *setup) { s.TenantHeader = "X-Tenant" })
	d.send(http.MethodPut, "/v1/in%2Fvoice/documents/a%20b?dry_run=true&x=%zz", "text", "X-Tenant", "acme", "Content-Encoding", "gzip", "Content-Type", "text/plain")
	doc := d.temporal.all()[0].doc
	if doc.Method != "PUT" || doc.Path != "/v1/in%2Fvoice/documents/a%20b" || doc.Query != "dry_run=true&x=%zz" || doc.Tenant != "acme" ||
		doc.PathParts["kind"] != "in/voice" || doc.PathParts["id"] != "a b" || len(doc.PathParts) != 2 || doc.DocID != "a b" ||
		doc.ContentEncoding != "gzip" || doc.ContentType != "text/plain" {
		t.Errorf("%+v", doc)
	}
}

func TestAnotherWishIsAnotherIntent(t *testing.T) {
	key := func(more ...string) []string { return append([]string{"Idempotency-Key", "k"}, more...) }
	wantMany(t, intents(t, []wish{
		{"plain", here, docA, nil},
		{"another body", here, docA + " ", nil},
		{"another query", here + "?b", docA, nil},
		{"another type", here, docA, []string{"Content-Type", "b"}},
		{"another tenant", here, docA, []string{"X-Tenant", "t"}},
		{"another route", "/v1/notes", docA, nil},
		{"with a key", here, docA, key()},
		{"another key", here, docA, []string{"Idempotency-Key", "l"}},
		{"a key of another document", here, `{"doc_id":"b"}`, key()},
		{"a key of another tenant", here, docA, key("X-Tenant", "t")},
		{"a key of a third tenant", here, docA, key("X-Tenant", "u")},
		{"a key of another route", "/v1/notes", docA, key()},
	}))
}

func TestIntentsWithoutTenants(t *testing.T) {
	d := openDoor(t, at(100))
	d.post(docA, "X-Tenant", "t", "Idempotency-Key", "k")
	d.post(docA, "X-Tenant", "u", "Idempotency-Key", "k")
	if first, second := d.observer.next(), d.observer.next(); first.Intent != second.Intent {
		t.Error("a field that the gateway was not told of sets tenants apart")
	}
}
