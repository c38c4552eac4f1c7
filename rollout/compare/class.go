package compare

import "fmt"

// Class is how a comparison counts.
type Class uint8

// The closed set of classes.
const (
	// ClassAgree: no difference that a rule does not allow.
	ClassAgree Class = iota
	// ClassMismatch: the answers differ.
	ClassMismatch
	// ClassValidity: one path took the document, the other called it invalid.
	ClassValidity
	// ClassError: the comparer failed.
	ClassError
	// ClassSkipped: there was nothing to compare, or too much.
	ClassSkipped
)

var classes = [...]string{"agree", "mismatch", "validity", "error", "skipped"}

// Classes lists them all.
func Classes() []Class {
	all := make([]Class, len(classes))
	for i := range all {
		all[i] = Class(i)
	}
	return all
}

// String returns the word used in metrics and logs.
func (c Class) String() string { return classes[c] }

// MarshalText returns the class's word.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the class's word.
func (c *Class) UnmarshalText(text []byte) error {
	for i, word := range classes {
		if word == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no class of a comparison", text)
}

// Why is why a comparison did not get as far as the bodies.
type Why uint8

// The closed set of reasons. All but the first two belong to ClassSkipped.
const (
	WhyNone Why = iota
	// WhyBothInvalid: both are the same 4xx. They agree; no result was compared.
	WhyBothInvalid
	// WhyBothFailed: both are 5xx.
	WhyBothFailed
	// WhyNoAnswer: a status that HTTP does not have, such as 0.
	WhyNoAnswer
	// WhyEncoded: a Content-Encoding that cannot be undone here. WhyBroken: one that the
	// body is not in, whatever its answer says.
	WhyEncoded
	WhyBroken
	// WhyTooLong, WhyTooMany, WhyTooDeep: beyond Limits, and not equal as bytes.
	WhyTooLong
	WhyTooMany
	WhyTooDeep
)

var whys = [...]string{"", "both-invalid", "both-failed", "no-answer", "encoded", "broken-encoding", "too-long", "too-many-values", "too-deep"}

// Whys lists the reasons but for WhyNone.
func Whys() []Why {
	all := make([]Why, 0, len(whys))
	for i := range whys[1:] {
		all = append(all, Why(i+1))
	}
	return all
}

// String returns the word used in metrics and logs; empty for WhyNone.
func (w Why) String() string { return whys[w] }

// byStatus classes what the statuses alone decide.
func byStatus(primary, shadow int) (class Class, why Why, decided bool) {
	if min(primary, shadow) < 100 || max(primary, shadow) > 599 {
		return ClassSkipped, WhyNoAnswer, true
	}
	p, s := primary/100, shadow/100
	switch {
	case p == 5 && s == 5:
		return ClassSkipped, WhyBothFailed, true
	case min(p, s) == 2 && max(p, s) == 4:
		return ClassValidity, WhyNone, true
	}
	return ClassAgree, WhyNone, false
}
