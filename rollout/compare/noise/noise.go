// Package noise tells which fields differ from run to run, and which because the
// two paths differ.
//
// A share of the shadows runs twice, which gives A/A pairs; shadow and legacy give
// A/B pairs. A field's verdict is:
//
//   - Mismatch, if it differs more often in A/B than in A/A pairs, at 95 %
//     confidence: by Fisher's exact test, one-sided.
//   - Noise, if that is not so and it has differed in A/A pairs.
//   - Undecided, if that is not so and it has never differed in an A/A pair. There
//     are too few of them. It counts as a mismatch until there are enough: noise
//     must have been seen, or the lack of A/A pairs would prove that the paths agree.
//   - Marked, if an operator has called it noise.
//
// Of several fields the chance that any is called a mismatch by accident is 5 % per
// route, by Tarone's correction: Bonferroni's, in which fields that have differed
// too seldom to prove anything do not count.
//
// The 5 % hold at each look, not over all looks together. That is enough here,
// because a verdict is not latched: it is made anew from all counts each time, and
// an accident passes. What must not be looked at repeatedly, a rollback, is decided
// by other tests.
//
// What noise hides stays hidden: of a field that differs in 30 % of 400 A/A pairs a
// true difference of 2 % is not told from noise. Each field's interval says how
// much may be hidden.
package noise

import (
	"fmt"

	"sluice/rollout/compare"
	"sluice/rollout/compare/tally"
)

// Level is the chance, per route and look, that noise is called a mismatch.
const Level = 0.05

// Verdict is what a field's differences are.
type Verdict uint8

// The closed set of verdicts.
const (
	Mismatch Verdict = iota
	Undecided
	Noise
	Marked
)

var verdicts = [...]string{"mismatch", "undecided", "noise", "marked"}

// String returns the word used in reports.
func (v Verdict) String() string { return verdicts[v] }

// MarshalText returns the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the verdict's word.
func (v *Verdict) UnmarshalText(text []byte) error {
	for i, word := range verdicts {
		if word == string(text) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no verdict on a field", text)
}

// Counts reports whether a comparison that differs in such a field is a mismatch.
func (v Verdict) Counts() bool { return v == Mismatch || v == Undecided }

// Rate is how often a field differed.
type Rate struct {
	Differed uint64 `json:"differed"`
	Pairs    uint64 `json:"pairs"`
}

// Field is what is known of one field.
type Field struct {
	Field   string  `json:"field"`
	Verdict Verdict `json:"verdict"`
	AA      Rate    `json:"aa"`
	AB      Rate    `json:"ab"`
	// Excess is the A/B rate less the A/A rate, in 0..1; Low and High are the ends
	// of its two-sided 95 % interval.
	Excess float64 `json:"excess"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// P is the test's p-value.
	P float64 `json:"p"`
	// More is, for Undecided, how many A/A pairs in which it does not differ would
	// make it a mismatch; 0 if that would take more than MaxMore.
	More uint64 `json:"more,omitempty"`
}

// MaxMore is the largest number of A/A pairs to ask for.
const MaxMore = 1_000_000

// Report is what the counts of one route say.
type Report struct {
	// Fields are those that have differed in either kind of pair, sorted by verdict
	// and then by name.
	Fields []Field `json:"fields"`
	// Compared counts the A/B pairs, Mismatches those with a field that counts.
	Compared   uint64 `json:"compared"`
	Mismatches uint64 `json:"mismatches"`
	// Undecided counts the mismatches whose fields are all undecided.
	Undecided uint64 `json:"undecided"`
}

// Judge gives each field of the route its verdict. Marks are the places that an
// operator has called noise; all below them is noise too.
func Judge(route *tally.Route, marks []compare.Pattern) Report {
	j := judge{route: route, marks: marks}
	j.test()
	verdicts := map[string]Verdict{}
	for _, f := range j.fields {
		verdicts[f.Field] = f.Verdict
	}
	r := Report{Fields: j.fields, Compared: route.AB.Compared}
	r.Mismatches = route.AB.Mismatches(func(field string) bool { return verdicts[field].Counts() })
	proved := route.AB.Mismatches(func(field string) bool { return verdicts[field] == Mismatch })
	r.Undecided = r.Mismatches - proved
	return r
}

// Counts reports whether a comparison that differs in the field is a mismatch. A
// field that has not been seen counts.
func (r Report) Counts(field string) bool {
	for _, f := range r.Fields {
		if f.Field == field {
			return f.Verdict.Counts()
		}
	}
	return true
}
