package compare

import "slices"

// findings collects what differs, within the limits.
type findings struct {
	limits Limits
	kept   []Difference
	total  uint64
	// fields are the patterns in the order they were found, known the same as a
	// set; more, if there was no room for another.
	fields []string
	known  map[string]struct{}
	more   bool
}

func newFindings(limits Limits) *findings {
	return &findings{limits: limits, known: map[string]struct{}{}}
}

// note counts a difference in the field and reports whether there is room for it.
func (f *findings) note(pattern []byte) bool {
	f.total++
	if _, ok := f.known[string(pattern)]; !ok {
		f.name(pattern)
	}
	return len(f.kept) < f.limits.Differences
}

// name remembers a field.
func (f *findings) name(pattern []byte) {
	field := cut(pattern, maxPointer)
	switch _, ok := f.known[field]; {
	case ok:
	case len(f.fields) >= f.limits.Patterns:
		f.more = true
	default:
		f.fields = append(f.fields, field)
		f.known[field] = struct{}{}
	}
}

// whole adds a difference between the answers as wholes.
func (f *findings) whole(field string, kind Kind, primary, shadow string) {
	if f.note([]byte(field)) {
		f.kept = append(f.kept, Difference{
			Pattern: field, Kind: kind,
			Primary: cut([]byte(primary), f.limits.Shown), Shadow: cut([]byte(shadow), f.limits.Shown),
		})
	}
}

// mark is where the findings stood.
type mark struct {
	kept, fields int
	total        uint64
	more         bool
}

func (f *findings) mark() mark { return mark{len(f.kept), len(f.fields), f.total, f.more} }

// since is what was found after a mark.
type since struct {
	kept   []Difference
	fields []string
	total  uint64
	more   bool
}

// takeBack removes what was found since the mark.
func (f *findings) takeBack(m mark) since {
	s := since{slices.Clone(f.kept[m.kept:]), slices.Clone(f.fields[m.fields:]), f.total - m.total, f.more}
	for _, field := range s.fields {
		delete(f.known, field)
	}
	f.kept, f.fields, f.total, f.more = f.kept[:m.kept], f.fields[:m.fields], m.total, m.more
	return s
}

// putBack adds what was removed. Nothing was added meanwhile.
func (f *findings) putBack(s since) {
	f.kept, f.fields, f.total, f.more = append(f.kept, s.kept...), append(f.fields, s.fields...), f.total+s.total, s.more
	for _, field := range s.fields {
		f.known[field] = struct{}{}
	}
}

// comparison returns what was found.
func (f *findings) comparison(matches Matches) Comparison {
	c := Comparison{
		Class: ClassAgree, Differences: f.kept, Total: f.total,
		Patterns: f.fields, MorePatterns: f.more, Matches: matches,
	}
	if f.total > 0 {
		c.Class = ClassMismatch
	}
	slices.Sort(c.Patterns)
	return c
}
