// Package cause groups fields that differ into causes: fields of one route that
// have only ever differed together are one cause. So ten thousand mismatches become
// "14 fields, 3 causes".
//
// The grouping is exact and deterministic: two fields are of one cause if and only
// if no comparison has told them apart. More comparisons can split a cause and
// never join two.
package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/rollout/compare/tally"
)

// Cause is fields that differ together.
type Cause struct {
	Route  string   `json:"route"`
	Fields []string `json:"fields"`
	// Comparisons counts those that differ in them.
	Comparisons uint64 `json:"comparisons"`
	// Alone counts those that differ in nothing else.
	Alone uint64 `json:"alone"`
}

// Causes are those of one or several routes, the most frequent first.
type Causes []Cause

// Group groups the fields of a route's comparisons for which counts is true.
// Comparisons whose fields found no room in the tally are not in it.
func Group(route string, counts *tally.Counts, relevant func(field string) bool) Causes {
	places := map[string][]int{} // the signatures that each field is in
	var signatures []tally.Signature
	for _, s := range counts.Signatures() {
		s.Fields = slices.DeleteFunc(s.Fields, func(field string) bool { return !relevant(field) })
		for _, field := range s.Fields {
			places[field] = append(places[field], len(signatures))
		}
		signatures = append(signatures, s)
	}
	together := map[string]*Cause{}
	for _, field := range sorted(places) {
		key := fmt.Sprint(places[field])
		if together[key] == nil {
			together[key] = &Cause{Route: route}
		}
		together[key].Fields = append(together[key].Fields, field)
	}
	causes := make(Causes, 0, len(together))
	for _, c := range together {
		for _, at := range places[c.Fields[0]] {
			c.Comparisons += signatures[at].Count
			if len(signatures[at].Fields) == len(c.Fields) {
				c.Alone += signatures[at].Count
			}
		}
		causes = append(causes, *c)
	}
	causes.sort()
	return causes
}

func sorted(places map[string][]int) []string {
	fields := make([]string, 0, len(places))
	for field := range places {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// Join returns the causes of both, in order.
func (c Causes) Join(other Causes) Causes {
	joined := slices.Concat(c, other)
	joined.sort()
	return joined
}

func (c Causes) sort() {
	slices.SortFunc(c, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Comparisons, a.Comparisons), strings.Compare(a.Route, b.Route), slices.Compare(a.Fields, b.Fields))
	})
}

// String sums them up: "14 fields, 3 causes".
func (c Causes) String() string {
	fields := 0
	for _, one := range c {
		fields += len(one.Fields)
	}
	return count(fields, "field") + ", " + count(len(c), "cause")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
