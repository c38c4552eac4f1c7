// Package compare tells whether two answers to one document say the same: the
// primary's, which the client got, and the shadow's. Nothing here does I/O,
// starts a goroutine or reads a clock.
//
// Statuses are compared exactly, header fields that are named by value, bodies by
// structure where both are JSON and by digest where neither is:
//
//   - Both 4xx: agreement on validity, whatever fields and bodies; another status is a
//     mismatch. One 4xx and one 2xx: ClassValidity. Both 5xx: skipped, since neither has
//     a result to compare. Any other two classes: a mismatch, and nothing else is
//     compared.
//   - A Content-Encoding is undone first, and does not count.
//   - A body is JSON if its Content-Type says so, or if it is an object or an
//     array all the same (old services call theirs text/html). One that is called
//     JSON and cannot be read, cut short for instance, is KindMalformed.
//   - Numbers compare by value and without rounding: 1.0 is 1, 1e2 is 100, -0 is
//     0. A number whose exponent has more than 18 digits compares by its spelling.
//   - Strings compare by what they mean: "\u0061" is "a". Bytes that are not UTF-8
//     are compared as they are.
//   - Members that share a name are compared one by one in their order, and
//     KindDuplicate if one side has more of them.
//   - Elements of an array are compared in their order. The same elements in
//     another order are one KindOrder. Arrays of different lengths are one
//     KindLength, and are compared as far as both go.
//
// Invariants:
//   - Equal answers never differ, and Compare(b, a) is Compare(a, b) with missing
//     and extra, primary and shadow exchanged.
//   - A panic of the comparer is ClassError, never a mismatch.
//   - What a comparison keeps is bounded by Limits, whatever the bodies.
package compare

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"sluice/rollout"
)

// ErrCrashed says that the comparer itself failed: a flaw in it, which says
// nothing about the answers.
var ErrCrashed = errors.New("the comparer crashed")

// Config is what answers are compared by.
type Config struct {
	Rules []Rule
	// Fields are the names of the header fields that are compared.
	Fields []string
	// Limits; those that are 0 are DefaultLimits'.
	Limits Limits
}

// Comparer compares answers by its rules, which never change. Any number of
// goroutines may use it.
type Comparer struct {
	rules  *rules
	fields []string
	limits Limits
	spare  sync.Pool // of *memory
}

// New compiles the rules. It fails with a *RuleError for the first that cannot
// be used.
func New(config Config) (*Comparer, error) {
	rules, err := compile(config.Rules)
	if err != nil {
		return nil, err
	}
	return &Comparer{rules: rules, fields: slices.Clone(config.Fields), limits: config.Limits.orDefault()}, nil
}

// Comparison is what comparing two answers has found.
type Comparison struct {
	Class Class
	// Why says more of ClassSkipped, or that both refused the document.
	Why Why
	// Err is why the class is ClassError; it wraps ErrCrashed.
	Err error
	// Differences are the first ones, at most Limits.Differences.
	Differences []Difference
	// Total counts all differences.
	Total uint64
	// Patterns is the set of the fields that differ, sorted; the comparison's
	// signature. At most Limits.Patterns.
	Patterns []string
	// MorePatterns: there were more than Limits.Patterns.
	MorePatterns bool
	// Matches says which rules matched; nil where nothing but the status was looked at.
	Matches Matches
}

// Compare compares the shadow's answer with the primary's.
func (c *Comparer) Compare(primary, shadow rollout.Answer) Comparison {
	return guarded(func() Comparison { return c.compare(primary, shadow) })
}

// guarded turns a panic into ClassError.
func guarded(compare func() Comparison) (result Comparison) {
	defer func() {
		if cause := recover(); cause != nil {
			result = Comparison{Class: ClassError, Err: fmt.Errorf("%w: %v\n%s", ErrCrashed, cause, debug.Stack())}
		}
	}()
	return compare()
}

func (c *Comparer) compare(primary, shadow rollout.Answer) Comparison {
	class, why, decided := byStatus(primary.Status, shadow.Status)
	if decided {
		return Comparison{Class: class, Why: why}
	}
	found := newFindings(c.limits)
	if primary.Status/100 != shadow.Status/100 {
		found.whole(FieldStatus, KindStatus, fmt.Sprint(primary.Status), fmt.Sprint(shadow.Status))
		return found.comparison(nil)
	}
	if primary.Status/100 == 4 {
		return c.refusals(primary, shadow, found)
	}
	matches := c.heads(primary, shadow, found)
	matched, why := c.bodies(primary, shadow, found)
	if why != WhyNone && found.total == 0 {
		return Comparison{Class: ClassSkipped, Why: why}
	}
	return found.comparison(matches.Add(matched))
}

// refusals compares two answers that both call the document invalid.
func (c *Comparer) refusals(primary, shadow rollout.Answer, found *findings) Comparison {
	matches := make(Matches, len(c.rules.rules))
	if primary.Status == shadow.Status || c.rules.ignores(FieldStatus, matches) {
		return Comparison{Class: ClassAgree, Why: WhyBothInvalid}
	}
	found.whole(FieldStatus, KindStatus, fmt.Sprint(primary.Status), fmt.Sprint(shadow.Status))
	return found.comparison(nil)
}

// bodies compares the bodies, and returns which rules matched; or why they cannot be
// compared.
func (c *Comparer) bodies(primary, shadow rollout.Answer, found *findings) (Matches, Why) {
	same := bytes.Equal(primary.Body, shadow.Body)
	if same && c.rules.none() { // with rules, one wants to know what they match
		return nil, WhyNone
	}
	primary, undoneLeft := c.Plain(primary)
	shadow, undoneRight := c.Plain(shadow)
	if why := max(undoneLeft, undoneRight); why != WhyNone {
		if same {
			why = WhyNone
		}
		return nil, why
	}
	same = bytes.Equal(primary.Body, shadow.Body)
	room := c.borrow()
	left, right := read(primary, c.limits, room.primary), read(shadow, c.limits, room.shadow)
	defer c.giveBack(room, &left.document, &right.document)
	switch {
	case left.form == formJSON && right.form == formJSON:
		w := newWalker(c.rules, &left.document, &right.document, found, room)
		w.documents()
		return w.matches, WhyNone
	case same:
	case left.form == formLimited || right.form == formLimited:
		return nil, max(left.why, right.why)
	case left.form == formMalformed || right.form == formMalformed:
		found.whole("", KindMalformed, left.words(), right.words())
	case left.form != right.form:
		found.whole("", KindMedia, left.words(), right.words())
	default:
		found.whole("", KindDigest, digest(primary.Body), digest(shadow.Body))
	}
	return nil, WhyNone
}
