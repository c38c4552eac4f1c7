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
