package noise

import (
	"cmp"
	"slices"
	"strings"

	"sluice/rollout/compare"
	"sluice/rollout/compare/tally"
)

// judge works out a report.
type judge struct {
	route  *tally.Route
	marks  []compare.Pattern
	fields []Field
}

// test gives the verdicts.
func (j *judge) test() {
	for _, name := range j.names() {
		j.fields = append(j.fields, j.field(name))
	}
	level := j.level()
	for i := range j.fields {
		f := &j.fields[i]
		switch {
		case j.marked(f.Field):
			f.Verdict = Marked
		case f.AB.Differed > 0 && f.P <= level:
			f.Verdict = Mismatch
		case f.AA.Differed > 0:
			f.Verdict = Noise
		default:
			f.Verdict = Undecided
			f.More = more(f.AA, f.AB, level)
		}
	}
	slices.SortFunc(j.fields, func(a, b Field) int {
		return cmp.Or(cmp.Compare(a.Verdict, b.Verdict), strings.Compare(a.Field, b.Field))
	})
}

func (j *judge) names() []string {
	names := append(j.route.AA.Fields(), j.route.AB.Fields()...)
	slices.Sort(names)
	return slices.Compact(names)
}

func (j *judge) field(name string) Field {
	f := Field{
		Field: name,
		AA:    Rate{j.route.AA.Differed(name), j.route.AA.Compared},
		AB:    Rate{j.route.AB.Differed(name), j.route.AB.Compared},
	}
	f.P = Fisher(f.AB.Differed, f.AB.Pairs, f.AA.Differed, f.AA.Pairs)
	f.Low, f.High = Newcombe(f.AB.Differed, f.AB.Pairs, f.AA.Differed, f.AA.Pairs)
	f.Excess = f.AB.rate() - f.AA.rate()
	return f
}

func (r Rate) rate() float64 {
	if r.Pairs == 0 {
		return 0
	}
	return float64(r.Differed) / float64(r.Pairs)
}

func (j *judge) marked(field string) bool {
	for _, mark := range j.marks {
		if mark.Covers(field) {
			return true
		}
	}
	return false
}

// level returns the level of each field's test after Tarone (1990): Level / k, with
// the smallest k such that no more than k fields could be significant at it at all.
func (j *judge) level() float64 {
	var least []float64
	for _, f := range j.fields {
		if f.AB.Differed > 0 && !j.marked(f.Field) {
			// All that differed, in A/B pairs: nothing would be more significant.
			sum := f.AA.Differed + f.AB.Differed
			most := min(sum, f.AB.Pairs)
			least = append(least, Fisher(most, f.AB.Pairs, sum-most, f.AA.Pairs))
		}
	}
	slices.Sort(least)
	for k := 1; ; k++ {
		level := Level / float64(k)
		able, _ := slices.BinarySearchFunc(least, level, func(p, level float64) int {
			if p <= level {
				return -1
			}
			return 1
		})
		if able <= k {
			return level
		}
	}
}

// more returns how many further A/A pairs without a difference would decide.
func more(aa, ab Rate, level float64) uint64 {
	decides := func(n uint64) bool {
		return Fisher(ab.Differed, ab.Pairs, aa.Differed, aa.Pairs+n) <= level
	}
	if !decides(MaxMore) {
		return 0
	}
	low, high := uint64(0), uint64(MaxMore) // low does not decide, high does
	for high-low > 1 {
		if middle := low + (high-low)/2; decides(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
