package compare

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestRulesThatCannotBeUsed(t *testing.T) {
	good := Rule{Effect: Ignore, Pattern: "/a"}
	for _, c := range []struct {
		bad  Rule
		want string
	}{
		{Rule{Effect: Ignore, Pattern: "a.b"}, `rule 2, ignore "a.b": not a JSON Pointer`},
		{Rule{Pattern: "/a"}, "none of ignore, set, tolerance"},
		{Rule{Effect: 9, Pattern: "/a"}, "none of ignore, set, tolerance"},
		{Rule{Effect: Set, Pattern: "/a", Absolute: 1}, "for a tolerance"},
		{Rule{Effect: Tolerance, Pattern: "/a"}, "needs absolute or relative"},
		{Rule{Effect: Tolerance, Pattern: "/a", Absolute: -1}, "0 or above"},
		{Rule{Effect: Tolerance, Pattern: "/a", Relative: math.NaN()}, "0 or above"},
		{Rule{Effect: Tolerance, Pattern: "/a", Absolute: math.Inf(1)}, "0 or above"},
	} {
		_, err := New(Config{Rules: []Rule{good, c.bad, good}})
		var at *RuleError
		if !errors.As(err, &at) || at.Index != 1 || at.Rule.Pattern != c.bad.Pattern || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.bad, err, c.want)
		}
	}
}

func TestUnmatchedRules(t *testing.T) {
	comparer, err := New(Config{Rules: []Rule{
		{Effect: Ignore, Pattern: "/a"}, {Effect: Ignore, Pattern: "/a/b"}, {Effect: Set, Pattern: "/c"}, {Effect: Ignore, Pattern: "/nowhere"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if all := comparer.Unmatched(nil); len(all) != 4 {
		t.Errorf("before any comparison: %v", all)
	}
	var sum Matches
	for _, body := range []string{`{"a":{"b":1}}`, `{"c":[1]}`, `{"c":1}`} { // equal bodies count too
		sum = sum.Add(comparer.Compare(jsonAnswer(body), jsonAnswer(body)).Matches)
	}
	sum = sum.Add(comparer.Compare(jsonAnswer("x"), jsonAnswer("x")).Matches)
	left := comparer.Unmatched(sum)
	if len(left) != 2 || left[0].Pattern != "/a/b" || left[1].Pattern != "/nowhere" {
		t.Errorf("left over: %v (%v)", left, sum)
	}
}
