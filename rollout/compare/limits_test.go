package compare

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func comparer(t testing.TB, limits Limits, rules ...Rule) *Comparer {
	t.Helper()
	c, err := New(Config{Rules: rules, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACrashIsNoMismatch(t *testing.T) {
	got := guarded(func() Comparison {
		var nothing []int
		return Comparison{Class: ClassMismatch, Total: uint64(nothing[3])}
	})
	if got.Class != ClassError || !errors.Is(got.Err, ErrCrashed) || !strings.Contains(got.Err.Error(), "limits_test.go") {
		t.Errorf("%v: %v", got.Class, got.Err)
	}
	// The whole way: a comparer without rules cannot compare.
	broken := &Comparer{limits: DefaultLimits()}
	if got := broken.Compare(jsonAnswer("1"), jsonAnswer("2")); got.Class != ClassError || got.Total != 0 {
		t.Errorf("%+v", got)
	}
}

func TestBeyondTheLimitsIsSkipped(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, c := range map[string]struct {
		a, b string
		want Why
	}{
		"deep":       {deep(11), deep(10), WhyTooDeep},
		"not deep":   {deep(10), "[" + strings.Repeat(" ", 3) + "]", WhyNone},
		"never ends": {strings.Repeat("[", 5_000_000), "[]", WhyTooDeep},
		"many":       {"[" + strings.Repeat("1,", 100) + "1]", "[]", WhyTooMany},
		"long":       {`"` + strings.Repeat("x", 6_000_000) + `"`, `""`, WhyTooLong},
	} {
		compared := comparer(t, Limits{Depth: 10, Values: 100, Bytes: 5_500_000})
		a, b := jsonAnswer(c.a), jsonAnswer(c.b)
		got := compared.Compare(a, b)
		if got.Why != c.want || (got.Class == ClassSkipped) != (c.want != WhyNone) {
			t.Errorf("%s: %v, %v", name, got.Class, got.Why)
		}
		mirrored(t, got, compared.Compare(b, a))
		if same := compared.Compare(a, a); same.Class != ClassAgree {
			t.Errorf("%s: not equal to itself: %v", name, same.Class)
		}
	}
}

// What is kept is bounded; what is counted is not.
func TestAMillionDifferencesKeepAHundred(t *testing.T) {
	many := func(value string) string { return "[" + strings.Repeat(value+",", 500_000) + value + "]" }
	got := comparer(t, Limits{}).Compare(jsonAnswer(many("1")), jsonAnswer(many("2")))
	if len(got.Differences) != 100 || got.Total != 500_001 || len(got.Patterns) != 1 || got.MorePatterns {
		t.Errorf("kept %d of %d, %q", len(got.Differences), got.Total, got.Patterns)
	}
	var a, b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&a, `,"a%d":1`, i)
		fmt.Fprintf(&b, `,"a%d":2`, i)
	}
	got = comparer(t, Limits{}).Compare(jsonAnswer("{"+a.String()[1:]+"}"), jsonAnswer("{"+b.String()[1:]+"}"))
	if len(got.Differences) != 100 || got.Total != 1000 || len(got.Patterns) != 256 || !got.MorePatterns {
		t.Errorf("kept %d of %d, %d fields, more %t", len(got.Differences), got.Total, len(got.Patterns), got.MorePatterns)
	}
}

func TestLongValuesAndNamesAreCut(t *testing.T) {
	long := strings.Repeat("é", 5_000)
	nested := func(value string) string {
		return strings.Repeat(`{"`+long+`":`, 8) + `"` + long + value + `"` + strings.Repeat("}", 8)
	}
	got := comparer(t, Limits{}).Compare(jsonAnswer(nested("a")), jsonAnswer(nested("b")))
	if len(got.Differences) != 1 {
		t.Fatalf("%+v", got)
	}
	d := got.Differences[0]
	for name, c := range map[string]struct {
		text  string
		limit int
	}{"pointer": {d.Pointer, maxPointer}, "pattern": {d.Pattern, maxPointer}, "primary": {d.Primary, 200}, "shadow": {d.Shadow, 200}} {
		if len(c.text) > c.limit+len(ellipsis) || !strings.HasSuffix(c.text, ellipsis) || strings.ContainsRune(c.text, '\uFFFD') {
			t.Errorf("%s: %d bytes, %q", name, len(c.text), c.text)
		}
	}
}

// Each of these took quadratic or exponential time in a simpler comparer, and
// would not end before the test does.
func TestHostileDocumentsEnd(t *testing.T) {
	numbers := func(from, n, by int) string {
		var b bytes.Buffer
		for i := range n {
			fmt.Fprintf(&b, ",%d", from+i*by)
		}
		return "[" + b.String()[1:] + "]"
	}
	names := func(prefix string, n, by int) string {
		var b bytes.Buffer
		for i := range n {
			fmt.Fprintf(&b, `,"%s%06d":1`, prefix, by*i+(1-by)/2*n)
		}
		return "{" + b.String()[1:] + "}"
	}
	nest := func(inner, before, after string, n int) string {
		return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
	}
	set, slack := Rule{Effect: Set, Pattern: "/**"}, Rule{Effect: Tolerance, Pattern: "/**/v", Absolute: 1}
	for name, c := range map[string]struct {
		a, b  string
		rules []Rule
	}{
		"a set without anything in common":   {numbers(0, 50_000, 1), numbers(90_000, 50_000, 1), []Rule{{Effect: Set, Pattern: ""}}},
		"an array the other way round":       {numbers(0, 50_000, 1), numbers(49_999, 50_000, -1), nil},
		"members the other way round":        {names("a", 50_000, 1), names("a", 50_000, -1), nil},
		"members without anything in common": {names("a", 50_000, 1), names("b", 50_000, 1), nil},
		"order in order in order": {
			nest(`{"v":1}`, "[", `,{"v":0},{"v":9}]`, 150), nest(`{"v":5}`, "[", `,{"v":9},{"v":0}]`, 150), []Rule{slack}},
		"sets in sets": {nest("1", "[", ",3,4]", 150), nest("2", "[", ",5,6]", 150), []Rule{set, slack}},
		"the same number, of a million digits": {
			"[" + strings.Repeat("9", 1_000_000) + "]", "[" + strings.Repeat("9", 1_000_000) + ".0]", []Rule{{Effect: Tolerance, Pattern: "/*", Absolute: 1}}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			compared := comparer(t, Limits{}, c.rules...)
			got := compared.Compare(jsonAnswer(c.a), jsonAnswer(c.b))
			if got.Class == ClassError || got.Class == ClassSkipped {
				t.Fatalf("%v %v %v", got.Class, got.Why, got.Err)
			}
			mirrored(t, got, compared.Compare(jsonAnswer(c.b), jsonAnswer(c.a)))
		})
	}
}

func TestWordsOfTheClosedSets(t *testing.T) {
	for _, kind := range Kinds() {
		var back Kind
		if text, _ := kind.MarshalText(); back.UnmarshalText(text) != nil || back != kind {
			t.Errorf("%v", kind)
		}
	}
	for _, class := range Classes() {
		var back Class
		if text, _ := class.MarshalText(); back.UnmarshalText(text) != nil || back != class {
			t.Errorf("%v", class)
		}
	}
	if new(Kind).UnmarshalText([]byte("")) == nil || new(Class).UnmarshalText([]byte("x")) == nil {
		t.Error("what is no word was read")
	}
	if len(Whys()) != 8 {
		t.Errorf("%v", Whys())
	}
}
