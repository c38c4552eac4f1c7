package compare

import (
	"encoding/json"
	"testing"

	"sluice/rollout"
)

// fuzzRules returns rules of every effect, those that apply being the set bits.
func fuzzRules(bits uint8) []Rule {
	var rules []Rule
	for i, rule := range []Rule{
		{Effect: Ignore, Pattern: "/a"}, {Effect: Ignore, Pattern: "/**/b"}, {Effect: Set, Pattern: "/**"},
		{Effect: Set, Pattern: ""}, {Effect: Tolerance, Pattern: "/**/v", Absolute: 0.5},
		{Effect: Tolerance, Pattern: "/**", Relative: 0.1}, {Effect: Ignore, Pattern: "/*/0"}, {Effect: Ignore, Pattern: "/c/**"},
	} {
		if bits>>i&1 == 1 {
			rules = append(rules, rule)
		}
	}
	return rules
}

// FuzzCompare: never panics; reflexive; symmetric; a rule made of each field that
// differs leaves no difference.
func FuzzCompare(f *testing.F) {
	for i, pair := range goldenPairs(f) {
		f.Add(pair.primary.Body, pair.shadow.Body, pair.primary.Status == 200 && pair.shadow.Status == 200, uint8(i*37))
	}
	f.Add([]byte(`[[[[[[]]]]]]`), []byte(`[[[[[[[]]]]]]]`), true, uint8(4))
	f.Add([]byte(`[{"v":1,"b":2},{"v":1.2}]`), []byte(`[{"v":1.1},{"v":1.7,"b":[]}]`), true, uint8(0x34))
	f.Fuzz(func(t *testing.T, primary, shadow []byte, ok bool, bits uint8) {
		a, b := jsonAnswer(string(primary)), jsonAnswer(string(shadow))
		if !ok {
			b.Status = 300 + int(bits)*2
		}
		for _, rules := range [][]Rule{nil, fuzzRules(bits)} {
			comparer, err := New(Config{Rules: rules, Limits: Limits{Depth: 50}})
			if err != nil {
				t.Fatal(err)
			}
			promises(t, comparer, rules, a, b)
		}
	})
}

func promises(t *testing.T, comparer *Comparer, rules []Rule, a, b rollout.Answer) {
	t.Helper()
	got := comparer.Compare(a, b)
	if got.Class == ClassError {
		t.Fatalf("crashed: %v", got.Err)
	}
	mirrored(t, got, comparer.Compare(b, a))
	for _, answer := range []rollout.Answer{a, b} {
		if same := comparer.Compare(answer, answer); same.Total > 0 || same.Class != ClassAgree && same.Class != ClassSkipped {
			t.Fatalf("%q is not itself: %v %v", answer.Body, same.Class, inWords(same.Differences))
		}
	}
	if got.Class != ClassMismatch || got.Patterns[len(got.Patterns)-1] == FieldStatus || !json.Valid(a.Body) || !json.Valid(b.Body) {
		return
	}
	for _, pattern := range got.Patterns {
		if len(pattern) > maxName {
			return
		}
		rules = append(rules, Rule{Effect: Ignore, Pattern: pattern})
	}
	comparer, err := New(Config{Rules: rules, Limits: Limits{Depth: 50}})
	if err != nil {
		t.Fatal(err)
	}
	// Where more is ignored, sets pair up in other ways, and arrays are found to be
	// in another order; so what is left is asked for without them.
	if again := comparer.Compare(a, b); again.Class == ClassMismatch && onlyOrdered(rules) {
		for _, pattern := range again.Patterns {
			for _, known := range got.Patterns {
				if pattern == known && !badUTF8(pattern) {
					t.Fatalf("%q is ignored, and found again", pattern)
				}
			}
		}
	}
}

func onlyOrdered(rules []Rule) bool {
	for _, rule := range rules {
		if rule.Effect == Set {
			return false
		}
	}
	return true
}

func badUTF8(pattern string) bool {
	for _, r := range pattern {
		if r == '\uFFFD' {
			return true
		}
	}
	return false
}

// FuzzParse: the parser takes what encoding/json takes, and nothing else.
func FuzzParse(f *testing.F) {
	for _, pair := range goldenPairs(f) {
		f.Add(pair.primary.Body)
		f.Add(pair.shadow.Body)
	}
	for _, text := range []string{`-`, `01`, `1.`, `.1`, `1e`, `1e+`, `-0`, `"\u12g4"`, `"\x"`, `"`, "\"\x00\"", `[1,]`, `{"a"}`,
		`{"a":}`, `{,}`, `[`, `]`, `{"a":1,}`, `nul`, `nullx`, ` 1 2`, "\xef\xbb\xbf1", `"` + "\xff" + `"`, `"\ud800\u0041"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		limits := DefaultLimits()
		document, why, err := parse(text, limits, nil)
		if why != WhyNone {
			return
		}
		if valid := json.Valid(text); valid != (err == nil) {
			t.Fatalf("%q: valid %t, but: %v", text, valid, err)
		}
		if err != nil {
			return
		}
		var want string
		if json.Unmarshal(text, &want) == nil && document.nodes[0].kind == valueString {
			if got := string([]rune(string(document.text(0)))); got != want && !badUTF8(want) {
				t.Fatalf("%q is %q, want %q", text, got, want)
			}
		}
	})
}
