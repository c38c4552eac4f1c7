package cause

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"sluice/rollout/compare"
	"sluice/rollout/compare/tally"
)

// planted returns the counts of comparisons with three causes that come
// independently, and a field of noise, added in an order that the seed gives.
func planted(seed uint64) *tally.Counts {
	random, order := rand.New(rand.NewPCG(7, 7)), rand.New(rand.NewPCG(seed, 0))
	var all []compare.Comparison
	for range 2000 {
		var fields []string
		for _, cause := range []struct {
			rate  float64
			names []string
		}{
			{0.3, []string{"/noise"}},
			{0.02, []string{"/chunks", "/items/*/text", "/items/*/length", "/checksum", "/summary", "/title"}},
			{0.05, []string{"/entities", "/links", "/meta/a", "/meta/b", "/meta/c"}},
			{0.01, []string{"/lang", "/lang_score", "/charset"}},
		} {
			if random.Float64() < cause.rate {
				fields = append(fields, cause.names...)
			}
		}
		c := compare.Comparison{Patterns: fields}
		if slices.Sort(fields); len(fields) > 0 {
			c.Class = compare.ClassMismatch
		}
		all = append(all, c)
	}
	order.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	counts := new(tally.Counts)
	for _, c := range all {
		counts.Add(c)
	}
	return counts
}

func relevant(field string) bool { return field != "/noise" }

func TestFourteenFieldsAreThreeCauses(t *testing.T) {
	causes := Group("ingest", planted(1), relevant)
	if causes.String() != "14 fields, 3 causes" {
		t.Fatalf("%s: %+v", causes, causes)
	}
	if first := causes[0]; first.Route != "ingest" || !slices.Equal(first.Fields, []string{"/entities", "/links", "/meta/a", "/meta/b", "/meta/c"}) ||
		first.Comparisons < 70 || first.Comparisons > 130 || first.Alone >= first.Comparisons || first.Alone < 60 {
		t.Errorf("%+v", first)
	}
	if all := Group("ingest", planted(1), func(string) bool { return true }); all.String() != "15 fields, 4 causes" {
		t.Errorf("with the noise: %s", all)
	}
	if none := Group("ingest", planted(1), func(string) bool { return false }); none.String() != "0 fields, 0 causes" {
		t.Errorf("all noise: %s", none)
	}
}

func TestGroupingDoesNotDependOnOrder(t *testing.T) {
	want := Group("a", planted(1), relevant)
	for seed := range uint64(5) {
		if got := Group("a", planted(seed+2), relevant); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	other := Group("b", planted(1), relevant)
	if !reflect.DeepEqual(want.Join(other), other.Join(want)) || want.Join(other).String() != "28 fields, 6 causes" {
		t.Error("joined one way they are not what they are joined the other way")
	}
}

// One comparison that tells two fields apart splits their cause.
func TestOneComparisonSplitsACause(t *testing.T) {
	counts := new(tally.Counts)
	for range 10 {
		counts.Add(compare.Comparison{Class: compare.ClassMismatch, Patterns: []string{"/a", "/b"}})
	}
	if got := Group("r", counts, relevant); fmt.Sprint(got) != "2 fields, 1 cause" || got[0].Comparisons != 10 || got[0].Alone != 10 {
		t.Fatalf("%+v", got)
	}
	counts.Add(compare.Comparison{Class: compare.ClassMismatch, Patterns: []string{"/b", "/noise"}})
	got := Group("r", counts, relevant)
	if got.String() != "2 fields, 2 causes" || got[0].Fields[0] != "/b" || got[0].Comparisons != 11 || got[0].Alone != 1 || got[1].Comparisons != 10 || got[1].Alone != 0 {
		t.Fatalf("%+v", got)
	}
}
