// Package tally counts comparisons so that what they mean can be decided later.
//
// Which fields are noise is learnt as the counts grow, and a comparison that
// differs in nothing but noise agrees. So of each comparison the set of its fields
// that differ is kept, its signature, and counted: for any set of noise fields the
// number of mismatches follows exactly.
//
// Counts add up: those of several gateways, or of several days, merged are those of
// one that had seen everything. Both hold as long as Other is 0. What finds no room
// is counted there, and is a mismatch whatever is noise, so a full table can hide
// nothing.
package tally

import (
	"slices"
	"strings"

	"sluice/rollout/compare"
)

// Bounds of one Counts.
const (
	// MaxFields is how many fields are counted.
	MaxFields = 2_000
	// MaxSignatures and MaxBytes are how many sets of fields are told apart, and
	// how long they are together.
	MaxSignatures = 10_000
	MaxBytes      = 4 << 20
)

// separator is no byte of valid UTF-8, so no field holds it.
const separator = "\xff"

// Tally is the counts of each route, by name. It has no lock of its own.
type Tally map[string]*Route

// Route is the counts of one route: of pairs that both ran on Temporal (A/A), which
// show what differs from run to run, and of those of legacy and Temporal (A/B).
type Route struct {
	AA Counts `json:"aa"`
	AB Counts `json:"ab"`
}

// Route returns the route's counts, new ones if there are none.
func (t Tally) Route(name string) *Route {
	if t[name] == nil {
		t[name] = &Route{}
	}
	return t[name]
}

// Merge adds the other's counts.
func (t Tally) Merge(other Tally) {
	for name, route := range other {
		mine := t.Route(name)
		mine.AA.Merge(&route.AA)
		mine.AB.Merge(&route.AB)
	}
}

// Counts are those of one kind of pair. The zero value is empty.
type Counts struct {
	// Compared counts the pairs whose results were compared: all but those below.
	Compared uint64
	// Invalid counts the pairs in which both refused the document. They agree, but
	// no result was compared.
	Invalid uint64
	// Validity counts those in which only one did.
	Validity uint64
	// Errors counts crashes of the comparer.
	Errors uint64
	// Skipped counts what was not compared, by reason; nil if nothing was.
	Skipped map[string]uint64
	// Other counts pairs that differ in fields for which there was no room.
	Other uint64

	fields     map[string]uint64
	signatures map[string]uint64
	bytes      int
}

// Add counts a comparison.
func (c *Counts) Add(comparison compare.Comparison) {
	switch comparison.Class {
	case compare.ClassError:
		c.Errors++
	case compare.ClassValidity:
		c.Validity++
	case compare.ClassSkipped:
		c.skip(comparison.Why.String(), 1)
	case compare.ClassAgree:
		if comparison.Why == compare.WhyBothInvalid {
			c.Invalid++
		} else {
			c.Compared++
		}
	case compare.ClassMismatch:
		c.Compared++
		room := !comparison.MorePatterns
		for _, field := range comparison.Patterns {
			room = c.differ(field, 1) && room
		}
		if !room || !c.sign(strings.Join(comparison.Patterns, separator), 1) {
			c.Other++
		}
	}
}

func (c *Counts) skip(why string, n uint64) {
	if c.Skipped == nil {
		c.Skipped = map[string]uint64{}
	}
	c.Skipped[why] += n
}

// differ counts pairs in which the field differs; false if there is no room.
func (c *Counts) differ(field string, n uint64) bool {
	if _, known := c.fields[field]; !known && len(c.fields) >= MaxFields {
		return false
	}
	if c.fields == nil {
		c.fields = map[string]uint64{}
	}
	c.fields[field] += n
	return true
}

// sign counts pairs with a signature; false if there is no room.
func (c *Counts) sign(signature string, n uint64) bool {
	if _, known := c.signatures[signature]; !known {
		if len(c.signatures) >= MaxSignatures || c.bytes+len(signature) > MaxBytes {
			return false
		}
		c.bytes += len(signature)
	}
	if c.signatures == nil {
		c.signatures = map[string]uint64{}
	}
	c.signatures[signature] += n
	return true
}

// Merge adds the other's counts.
func (c *Counts) Merge(other *Counts) {
	c.Compared += other.Compared
	c.Invalid += other.Invalid
	c.Validity += other.Validity
	c.Errors += other.Errors
	c.Other += other.Other
	for why, n := range other.Skipped {
		c.skip(why, n)
	}
	for _, field := range other.Fields() {
		c.differ(field, other.fields[field])
	}
	for _, s := range other.Signatures() {
		room := true
		for _, field := range s.Fields {
			_, known := c.fields[field]
			room = room && known
		}
		if !room || !c.sign(strings.Join(s.Fields, separator), s.Count) {
			c.Other += s.Count
		}
	}
}

// Fields returns the fields that have differed, sorted.
func (c *Counts) Fields() []string {
	fields := make([]string, 0, len(c.fields))
	for field := range c.fields {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// Differed counts the pairs in which the field differed.
func (c *Counts) Differed(field string) uint64 { return c.fields[field] }

// Uncompared counts the pairs of which nothing can be said: crashes, and what was
// skipped.
func (c *Counts) Uncompared() uint64 {
	sum := c.Errors
	for _, n := range c.Skipped {
		sum += n
	}
	return sum
}
