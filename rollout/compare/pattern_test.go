package compare

import (
	"errors"
	"strings"
	"testing"
)

func TestPatternsCover(t *testing.T) {
	for _, c := range []struct {
		pattern string
		covered string // fields, by spaces; "." is the whole document
		not     string
	}{
		{"", ". /a /a/b", "status"},
		{"/a", "/a /a/b /a/*/c", ". /b /ab /b/a"},
		{"/a/*", "/a/b /a/* /a/b/c", "/a ."},
		{"/a/**", "/a/b /a/b/c", "/a . /b"},
		{"/**", "/a /a/b", "."},
		{"/**/id", "/id /a/id /a/*/b/id /a/id/x", ". /a /ids"},
		{"/a/**/b", "/a/b /a/x/b /a/x/y/b /a/x/b/c", "/a /a/x /b"},
		{"/**/**/a", "/a /x/a", "/x"},
		{"/**/a/**/a", "/a/a /a/x/a /x/a/y/a", "/a /a/x"},
		{"/items/0", "", "/items/* /items /items/*/a"},
		{"/~2", "/~2 /~2/a", "/* /a"},
		{"/~2~2", "/~2~2", "/~2 /a"},
		{"/a~1b/c~0d", "/a~1b/c~0d", "/a/b/c~0d"},
		{"/", "/ //a", ". /a"},
	} {
		pattern, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for want, fields := range map[bool]string{true: c.covered, false: c.not} {
			for _, field := range strings.Fields(fields) {
				if got := pattern.Covers(strings.TrimPrefix(field, ".")); got != want {
					t.Errorf("%q covers %q: %t", c.pattern, field, got)
				}
			}
		}
	}
}

func TestWhatIsNoPattern(t *testing.T) {
	for text, hint := range map[string]string{
		"a/b":      "must begin with /",
		"$.a.b":    "must begin with /",
		"#/a":      "fragment",
		"/a~":      "~0",
		"/a~3/b":   "~0",
		"/a\xff":   "UTF-8",
		" /a":      "must begin with /",
		"*":        "must begin with /",
		"/a/~~0/b": "~0",
	} {
		if _, err := ParsePattern(text); !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, want a word on %q", text, err, hint)
		}
	}
}

// Matching keeps a set of positions, so a pattern that would take a backtracking
// matcher longer than the universe has lasted is matched at once.
func TestNoPatternIsSlow(t *testing.T) {
	pattern, err := ParsePattern(strings.Repeat("/**/a", 40) + "/b")
	if err != nil {
		t.Fatal(err)
	}
	if pattern.Covers(strings.Repeat("/a", 300)) {
		t.Error("there is no b")
	}
	m := matcher{patterns: []Pattern{pattern}}
	states := m.start(nil)
	for range 300 {
		states = m.step(nil, states, &step{key: []byte("a")})
	}
	if len(states) > 82 {
		t.Errorf("%d states for 81 tokens", len(states))
	}
}
