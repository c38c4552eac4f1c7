package compare

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"math/big"
	"strings"
)

// Effect is what a rule does where its pattern matches.
type Effect uint8

// The closed set of effects.
const (
	// Ignore: what is there is not compared, nor anything below it. A rule for
	// something below it matches nothing.
	Ignore Effect = iota + 1
	// Set: an array's elements are compared whatever their order. How often each
	// stands there still counts.
	Set
	// Tolerance: two numbers agree if they are no further apart than Absolute, or
	// than Relative times the larger of their magnitudes. Numbers of more than 400
	// digits, or beyond 1e400, must be equal.
	Tolerance
)

var effects = [...]string{"", "ignore", "set", "tolerance"}

// String returns the word used in the configuration.
func (e Effect) String() string {
	if int(e) < len(effects) {
		return effects[e]
	}
	return ""
}

// Rule allows a difference. Where several match, ignoring comes first, and one
// tolerance that is kept is enough.
type Rule struct {
	Effect Effect
	// Pattern is a Pattern's text.
	Pattern string
	// Absolute and Relative are of Tolerance; 0 is none. Relative is a share: 0.01
	// is one percent.
	Absolute, Relative float64
}

// RuleError is a rule that cannot be used.
type RuleError struct {
	// Index is the rule's place among the rules, from 0.
	Index int
	Rule  Rule
	// Err wraps ErrPattern if the pattern is to blame.
	Err error
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("rule %d, %s %q: %v", e.Index+1, e.Rule.Effect, e.Rule.Pattern, e.Err)
}

// Unwrap returns why.
func (e *RuleError) Unwrap() error { return e.Err }

// Matches says in how many comparisons each rule matched, in the order of the
// rules; of a single one it is 0 or 1. A tolerance matches where one side is a
// number, a set where one side is an array, ignoring wherever something is.
type Matches []uint64

// Add adds another's counts, and returns the sum.
func (m Matches) Add(other Matches) Matches {
	for len(m) < len(other) {
		m = append(m, 0)
	}
	for i, n := range other {
		m[i] += n
	}
	return m
}

// Unmatched returns the rules that have matched nothing in all these comparisons;
// they are probably not what their author meant.
func (c *Comparer) Unmatched(sum Matches) []Rule {
	var unmatched []Rule
	for i, rule := range c.rules.rules {
		if i >= len(sum) || sum[i] == 0 {
			unmatched = append(unmatched, rule)
		}
	}
	return unmatched
}

// rules are compiled rules.
type rules struct {
	matcher
	rules []Rule
	// absolute and relative are the tolerances, nil where there is none.
	absolute, relative []*big.Rat
	// plain: a value's hash depends on nothing but the value's place without its
	// indexes, so it can be kept.
	plain bool
	// seed is of the hashes, which are not seen outside.
	seed maphash.Seed
}

func (r *rules) none() bool { return len(r.rules) == 0 }

func compile(list []Rule) (*rules, error) {
	r := &rules{rules: append([]Rule(nil), list...), plain: true, seed: maphash.MakeSeed()}
	for i, rule := range list {
		pattern, err := ParsePattern(rule.Pattern)
		if err == nil {
			err = rule.check(i, pattern)
		}
		if err != nil {
			return nil, &RuleError{Index: i, Rule: rule, Err: err}
		}
		r.patterns = append(r.patterns, pattern)
		r.absolute = append(r.absolute, exact(rule.Absolute))
		r.relative = append(r.relative, exact(rule.Relative))
		for _, t := range pattern.tokens {
			r.plain = r.plain && t.index < 0 && rule.Effect != Tolerance
		}
	}
	return r, nil
}

// check returns what is wrong with the rule besides its pattern.
func (rule Rule) check(index int, pattern Pattern) error {
	if index >= math.MaxUint16 || len(pattern.tokens) >= math.MaxUint16 {
		return errors.New("there are too many rules, or this one is too long")
	}
	tolerances := rule.Absolute != 0 || rule.Relative != 0
	switch {
	case rule.Effect < Ignore || rule.Effect > Tolerance:
		return errors.New("the effect is none of ignore, set, tolerance")
	case rule.Effect != Ignore && pattern.head != "":
		return errors.New("the status and header fields can only be ignored")
	case rule.Effect != Tolerance && tolerances:
		return errors.New("absolute and relative are for a tolerance")
	case rule.Effect == Tolerance && !tolerances:
		return errors.New("a tolerance needs absolute or relative")
	case !positive(rule.Absolute) || !positive(rule.Relative):
		return errors.New("absolute and relative must be numbers, 0 or above")
	}
	return nil
}

// ignores reports whether the status, or a header field, is not compared, and notes the
// rules that say so.
func (r *rules) ignores(head string, matches Matches) (ignored bool) {
	for i, pattern := range r.patterns {
		if pattern.head != "" && strings.EqualFold(pattern.head, head) {
			matches[i], ignored = 1, true
		}
	}
	return ignored
}

func positive(f float64) bool { return f >= 0 && !math.IsInf(f, 1) }

// tolerates reports whether the rule brings the two numbers together.
func (r *rules) tolerates(rule uint16, a, b *big.Rat) bool {
	apart := new(big.Rat).Sub(a, b)
	apart.Abs(apart)
	if absolute := r.absolute[rule]; absolute != nil && apart.Cmp(absolute) <= 0 {
		return true
	}
	relative := r.relative[rule]
	if relative == nil {
		return false
	}
	larger := new(big.Rat).Abs(a)
	if other := new(big.Rat).Abs(b); other.Cmp(larger) > 0 {
		larger = other
	}
	return apart.Cmp(larger.Mul(larger, relative)) <= 0
}
