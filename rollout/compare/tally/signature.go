package tally

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Signature is a set of fields, sorted, and how many comparisons differ in exactly
// these.
type Signature struct {
	Fields []string
	Count  uint64
}

// Signatures returns them all, sorted by their fields.
func (c *Counts) Signatures() []Signature {
	all := make([]Signature, 0, len(c.signatures))
	for signature, n := range c.signatures {
		all = append(all, Signature{strings.Split(signature, separator), n})
	}
	slices.SortFunc(all, func(a, b Signature) int { return slices.Compare(a.Fields, b.Fields) })
	return all
}

// Mismatches counts the comparisons that differ in a field for which counts is
// true, and those whose fields found no room.
func (c *Counts) Mismatches(counts func(field string) bool) uint64 {
	relevant := map[string]bool{}
	for field := range c.fields {
		relevant[field] = counts(field)
	}
	sum := c.Other
	for signature, n := range c.signatures {
		for field := range strings.SplitSeq(signature, separator) {
			if relevant[field] {
				sum += n
				break
			}
		}
	}
	return sum
}

// Coarsen forgets which fields differ together, so that the counts take less room:
// the comparisons are in Other from then on.
func (c *Counts) Coarsen() {
	for _, n := range c.signatures {
		c.Other += n
	}
	c.signatures, c.bytes = nil, 0
}

// written is how counts are written: signatures refer to fields by their place.
type written struct {
	Compared   uint64             `json:"compared"`
	Invalid    uint64             `json:"invalid,omitempty"`
	Validity   uint64             `json:"validity,omitempty"`
	Errors     uint64             `json:"errors,omitempty"`
	Skipped    map[string]uint64  `json:"skipped,omitempty"`
	Other      uint64             `json:"other,omitempty"`
	Fields     []writtenField     `json:"fields,omitempty"`
	Signatures []writtenSignature `json:"signatures,omitempty"`
}

type writtenField struct {
	Field    string `json:"field"`
	Differed uint64 `json:"differed"`
}

type writtenSignature struct {
	Fields []int  `json:"fields"`
	Count  uint64 `json:"count"`
}

// MarshalJSON writes the counts, the same bytes for the same counts.
func (c Counts) MarshalJSON() ([]byte, error) {
	w := written{
		Compared: c.Compared, Invalid: c.Invalid, Validity: c.Validity, Errors: c.Errors, Skipped: c.Skipped, Other: c.Other,
	}
	places := map[string]int{}
	for i, field := range c.Fields() {
		places[field] = i
		w.Fields = append(w.Fields, writtenField{field, c.fields[field]})
	}
	for _, s := range c.Signatures() {
		fields := make([]int, len(s.Fields))
		for i, field := range s.Fields {
			fields[i] = places[field]
		}
		w.Signatures = append(w.Signatures, writtenSignature{fields, s.Count})
	}
	return json.Marshal(w)
}

// ErrDamaged says that what was read are no counts.
var ErrDamaged = errors.New("damaged counts of comparisons")

// UnmarshalJSON reads what MarshalJSON wrote. It fails with ErrDamaged.
func (c *Counts) UnmarshalJSON(text []byte) error {
	var w written
	if err := json.Unmarshal(text, &w); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	*c = Counts{Compared: w.Compared, Invalid: w.Invalid, Validity: w.Validity, Errors: w.Errors, Skipped: w.Skipped, Other: w.Other}
	for _, f := range w.Fields {
		if _, twice := c.fields[f.Field]; twice || !c.differ(f.Field, f.Differed) {
			return fmt.Errorf("%w: field %q", ErrDamaged, f.Field)
		}
	}
	for _, s := range w.Signatures {
		fields := make([]string, len(s.Fields))
		for i, place := range s.Fields {
			if place < 0 || place >= len(w.Fields) {
				return fmt.Errorf("%w: there is no field %d", ErrDamaged, place)
			}
			fields[i] = w.Fields[place].Field
		}
		if len(fields) == 0 || !slices.IsSorted(fields) || !c.sign(strings.Join(fields, separator), s.Count) {
			return fmt.Errorf("%w: signature %v", ErrDamaged, s.Fields)
		}
	}
	return nil
}
