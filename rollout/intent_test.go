package rollout_test

import (
	"testing"

	"sluice/rollout"
)

func TestIntentsDifferInEveryField(t *testing.T) {
	base := rollout.RequestDigest{Method: "POST", Path: "/v1/documents", RawQuery: "a=1", ContentType: "application/json", Tenant: "t", Body: []byte("{}")}
	seen := map[rollout.Intent]string{base.Intent(): "base"}
	add := func(name string, intent rollout.Intent) {
		if other, twice := seen[intent]; twice {
			t.Errorf("%s is the same intent as %s", name, other)
		}
		seen[intent] = name
	}
	for name, change := range map[string]func(*rollout.RequestDigest){
		"method":       func(d *rollout.RequestDigest) { d.Method = "PUT" },
		"path":         func(d *rollout.RequestDigest) { d.Path = "/v1/document" },
		"query":        func(d *rollout.RequestDigest) { d.RawQuery = "a=2" },
		"content type": func(d *rollout.RequestDigest) { d.ContentType = "text/plain" },
		"tenant":       func(d *rollout.RequestDigest) { d.Tenant = "u" },
		"coding":       func(d *rollout.RequestDigest) { d.ContentEncoding = "gzip" },
		"header":       func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {"1"}} },
		"a value":      func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {"2"}} },
		"two values":   func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {"1", "2"}} },
		"two headers":  func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {"1"}, "B": {"2"}} },
		"a longer one": func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {"1B2"}} },
		"an empty one": func(d *rollout.RequestDigest) { d.Header = map[string][]string{"A": {}} },
		"header and coding": func(d *rollout.RequestDigest) {
			d.ContentEncoding, d.Header = "A", map[string][]string{"A": {"1"}}
		},
		"body": func(d *rollout.RequestDigest) { d.Body = []byte("{ }") },
		// The same bytes in a row, cut elsewhere.
		"shifted": func(d *rollout.RequestDigest) { d.Path, d.RawQuery = "/v1/documentsa", "=1" },
	} {
		d := base
		change(&d)
		add(name, d.Intent())
	}
	add("key", rollout.KeyedIntent("r", "t", "doc", "k"))
	add("key of another document", rollout.KeyedIntent("r", "t", "doc2", "k"))
	add("key of another tenant", rollout.KeyedIntent("r", "u", "doc", "k"))
	add("key of another route", rollout.KeyedIntent("s", "t", "doc", "k"))
	add("key, shifted", rollout.KeyedIntent("r", "td", "oc", "k"))
	if again := base.Intent(); seen[again] != "base" {
		t.Error("a retry is not the same intent")
	}
}
