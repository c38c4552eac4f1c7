package router_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// A request's document is told by the rules of the routes, wherever the doc_id is.
func TestRecognise(t *testing.T) {
	t.Parallel()
	var routes []router.Route
	for _, r := range []struct{ name, method, pattern, docID string }{
		{"posted", "POST", "/v1/documents", "body:/doc_id"},
		{"put", "PUT", "/v1/documents/{id}", "path:id"},
	} {
		at, err := router.ParseLocator(r.docID)
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, router.Route{Name: r.name, Method: r.method, Pattern: r.pattern, DocID: at, Headers: []string{"x-kept"}})
	}
	rec, err := router.NewRecogniser(routes, "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, target, body string
		route, id            string
		err                  error
	}{
		{"POST", "/v1/documents?x=1", `{"doc_id":"a"}`, "posted", "a", nil},
		{"PUT", "/v1/documents/b%2Fc", `{}`, "put", "b/c", nil},
		{"PUT", "/v1/%64ocuments/b", `{}`, "put", "b", nil},
		{"POST", "/v1/documents", `{}`, "posted", "", rollout.ErrDocIDMissing},
		{"GET", "/v1/documents", ``, "", "", router.ErrNoRoute},
		{"POST", "/elsewhere", `{}`, "", "", router.ErrNoRoute},
	} {
		r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
		r.Header.Set("X-Kept", "yes")
		r.Header.Set("X-Other", "no")
		doc, err := rec.Document(r, []byte(test.body))
		if !errors.Is(err, test.err) {
			t.Errorf("%s %s: %v, want %v", test.method, test.target, err, test.err)
		}
		if err == nil && (doc.Route != test.route || doc.DocID != test.id || len(doc.Header) != 1 || string(doc.Body) != test.body) {
			t.Errorf("%s %s: %+v", test.method, test.target, doc)
		}
	}
}

// A document is that of its tenant wherever it is recognised, so a validation's runs are
// told of it as real ones are.
func TestRecognisedWithItsTenant(t *testing.T) {
	rec, err := router.NewRecogniser([]router.Route{route(t, "body:/doc_id")}, "x-tenant", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/v1/documents", nil)
	request.Header["X-Tenant"] = []string{"acme"}
	doc, err := rec.Document(request, []byte(`{"doc_id":"a"}`))
	if err != nil || doc.Tenant != "acme" || doc.Identity() != "acme/a" {
		t.Errorf("%+v, %v", doc, err)
	}
	request.Header["X-Tenant"] = []string{"acme", "other"}
	if _, err := rec.Document(request, []byte(`{"doc_id":"a"}`)); !errors.Is(err, rollout.ErrTenant) {
		t.Errorf("two tenants: %v", err)
	}
}
