package router_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// A POST that legacy may take for a DELETE brings no document: it goes to legacy as
// it came, is counted, and has no claim.
func TestOverriddenMethodsAreLegacys(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for name, row := range map[string]struct {
		target string
		fields []string
		body   string
		passed bool
	}{
		"plain":                {"", nil, docA, false},
		"override":             {"", []string{"X-HTTP-Method-Override", "DELETE"}, docA, true},
		"by OData":             {"", []string{"X-HTTP-Method", "MERGE"}, docA, true},
		"by Express":           {"", []string{"X-Method-Override", "put"}, docA, true},
		"with underscores":     {"", []string{"X_HTTP_Method_Override", "DELETE"}, docA, true},
		"twice":                {"", []string{"X-HTTP-Method-Override", "POST", "X-HTTP-Method-Override", "DELETE"}, docA, true},
		"the same":             {"", []string{"X-HTTP-Method-Override", "post"}, docA, false},
		"none":                 {"", []string{"X-HTTP-Method-Override", " "}, docA, false},
		"another field":        {"", []string{"X-HTTP-Methods", "DELETE", "X-Method", "DELETE"}, docA, false},
		"query":                {"?_method=DELETE", nil, docA, true},
		"query, capitals":      {"?a=b&_METHOD=delete", nil, docA, true},
		"query, escaped":       {"?%5fm%65thod=DELETE", nil, docA, true},
		"query, the same":      {"?_method=POST", nil, docA, false},
		"query, another":       {"?method=DELETE&x_method=DELETE", nil, docA, false},
		"form":                 {"", []string{"Content-Type", form + "; charset=utf-8", "X-Doc", "a"}, "a=b&_method=delete", true},
		"no form":              {"", []string{"Content-Type", "text/plain"}, `{"doc_id":"a","b":"&_method=delete"}`, false},
		"hidden by Connection": {"", []string{"X-HTTP-Method-Override", "DELETE", "Connection", "x-http-method-override"}, docA, false}, // legacy does not get it,
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, at(100))
			got := d.send(http.MethodPost, "/v1/documents"+row.target, row.body, row.fields...)
			all := d.legacy.all()
			if !row.passed {
				if len(d.temporal.all()) != 1 || len(all) != 0 {
					t.Errorf("Temporal got %d, legacy %d: %q", len(d.temporal.all()), len(all), got.body)
				}
				return
			}
			got.want(t, http.StatusOK, "by legacy")
			got.wantFields(t, "Rollout-Path", "")
			if len(all) != 1 || all[0].body != row.body || all[0].method != http.MethodPost || len(d.temporal.all()) != 0 {
				t.Errorf("legacy got %+v", all)
			}
			if record := d.observer.next(); record.Spelling != "documents" || record.Route != "" || record.DocID != "" || record.Decision.Path != rollout.Legacy {
				t.Errorf("record %+v", record)
			}
		})
	}
}

// What `sluice validate` reads is read by the same rule.
func TestOverriddenMethodsAreNotRecognised(t *testing.T) {
	rec, err := router.NewRecogniser([]router.Route{route(t, "body:/doc_id")}, "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, "http://a/v1/documents", strings.NewReader(docA))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Document(r, []byte(docA)); err != nil {
		t.Error(err)
	}
	r.Header.Set("X-HTTP-Method-Override", "DELETE")
	if _, err := rec.Document(r, []byte(docA)); !errors.Is(err, router.ErrNoRoute) {
		t.Errorf("%v, want ErrNoRoute", err)
	}
}
