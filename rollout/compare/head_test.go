package compare

import (
	"errors"
	"slices"
	"testing"

	"sluice/rollout"
)

func headed(t *testing.T, rules ...Rule) *Comparer {
	t.Helper()
	c, err := New(Config{Rules: rules, Fields: []string{"Location", "ETag", "content-type"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answered is an answer with fields, in pairs.
func answered(status int, fields ...string) rollout.Answer {
	a := rollout.Answer{Status: status, Header: map[string][]string{}, Body: []byte(`{"a":1}`)}
	for i := 0; i < len(fields); i += 2 {
		a.Header[fields[i]] = append(a.Header[fields[i]], fields[i+1])
	}
	return a
}

func TestFieldsAreCompared(t *testing.T) {
	const json = "application/json"
	for name, row := range map[string]struct {
		primary, shadow rollout.Answer
		want            []string // kind and pattern
	}{
		"created or not":    {answered(201, "Location", "/d/1"), answered(200), []string{"missing header:Location", "status status"}},
		"elsewhere":         {answered(201, "Location", "/d/1"), answered(201, "Location", "/d/2"), []string{"header header:Location"}},
		"tags":              {answered(200, "Etag", `"1"`), answered(200, "Etag", `W/"1"`), []string{"header header:ETag"}},
		"a tag, compressed": {answered(200, "Etag", `"1-gzip"`, "Content-Encoding", "gzip"), answered(200, "Etag", `"1"`), nil},
		"media types":       {answered(200, "Content-Type", json), answered(200, "Content-Type", "text/json"), []string{"header header:content-type"}},
		"no media type":     {answered(200), answered(200, "Content-Type", json), []string{"extra header:content-type"}},
		"the same type":     {answered(200, "Content-Type", `Application/JSON;  Charset="UTF-8"`), answered(200, "Content-Type", json), nil},
		"other text":        {answered(200, "Content-Type", "text/plain; charset=utf-8"), answered(200, "Content-Type", "text/plain"), []string{"header header:content-type"}},
		"another field":     {answered(200, "X-A", "1"), answered(200, "X-A", "2"), nil},
		"refused":           {answered(422, "Content-Type", "text/html"), answered(422), nil},
		"moved":             {answered(303, "Location", "/d/1"), answered(303, "Location", "/d/2"), []string{"header header:Location"}},
	} {
		c := headed(t)
		if row.primary.Header["Content-Encoding"] != nil {
			row.primary.Body = coded(t, row.primary, "gzip").Body
		}
		got := c.Compare(row.primary, row.shadow)
		var words []string
		for _, d := range got.Differences {
			words = append(words, d.Kind.String()+" "+d.Pattern)
		}
		slices.Sort(words)
		if !slices.Equal(words, row.want) || (got.Class == ClassAgree) != (row.want == nil) {
			t.Errorf("%s: %s %q, want %q", name, got.Class, words, row.want)
		}
		mirrored(t, got, c.Compare(row.shadow, row.primary))
	}
}

// A rule for a field or the status hides that, and nothing else.
func TestFieldsAreIgnoredByRule(t *testing.T) {
	created, stored := answered(201, "Location", "/d/1"), answered(200, "Location", "/d/2")
	c := headed(t, Rule{Effect: Ignore, Pattern: "header: location"}, Rule{Effect: Ignore, Pattern: "status"}, Rule{Effect: Ignore, Pattern: "header:ETag"})
	got := c.Compare(created, stored)
	if got.Class != ClassAgree || !slices.Equal(got.Matches, Matches{1, 1, 0}) {
		t.Errorf("%+v", got)
	}
	other := stored
	other.Body = []byte(`{"a":2}`)
	if got := c.Compare(created, other); got.Class != ClassMismatch || !slices.Equal(got.Patterns, []string{"/a"}) {
		t.Errorf("the body is not compared any more: %+v", got)
	}
	if got := headed(t, Rule{Effect: Ignore, Pattern: "/status"}).Compare(created, stored); got.Total != 2 {
		t.Errorf("a body's member is taken for the status: %+v", got)
	}
}

func TestPatternsOfFields(t *testing.T) {
	for _, text := range []string{"header:", "header: ", "header:a b", "header:*", "Status", "headers:Location"} {
		if _, err := ParsePattern(text); !errors.Is(err, ErrPattern) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, field := range map[string]string{"status": "status", "header:location": "header:Location", "header: ETag": "header:Etag"} {
		p, err := ParsePattern(text)
		if err != nil || !p.Covers(field) || p.Covers("") || p.Covers("/status") || p.Covers("header:Vary") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, rule := range []Rule{{Effect: Set, Pattern: "status"}, {Effect: Tolerance, Pattern: "header:Age", Absolute: 1}} {
		if _, err := New(Config{Rules: []Rule{rule}}); err == nil {
			t.Errorf("%+v was taken", rule)
		}
	}
}
