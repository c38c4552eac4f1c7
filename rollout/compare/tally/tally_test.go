package tally

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"sluice/rollout/compare"
)

func mismatch(fields ...string) compare.Comparison {
	return compare.Comparison{Class: compare.ClassMismatch, Patterns: fields}
}

// some returns comparisons of all classes, in twelve fields.
func some(random *rand.Rand, n int) []compare.Comparison {
	others := []compare.Comparison{
		{}, {Why: compare.WhyBothInvalid}, {Class: compare.ClassValidity}, {Class: compare.ClassError},
		{Class: compare.ClassSkipped, Why: compare.WhyTooDeep}, {Class: compare.ClassSkipped, Why: compare.WhyBothFailed},
		mismatch(compare.FieldStatus), mismatch(""), mismatch("", "/a\x00b", "/ü"),
	}
	var all []compare.Comparison
	for range n {
		if random.IntN(2) == 0 {
			all = append(all, others[random.IntN(len(others))])
			continue
		}
		var fields []string
		for f := range 12 {
			if random.IntN(4) == 0 {
				fields = append(fields, fmt.Sprintf("/f%02d", f))
			}
		}
		if c := mismatch(fields...); len(fields) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// For any set of noise fields the number of mismatches is what it would have been,
// had the set been known from the beginning.
func TestMismatchesFollowFromTheSignatures(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	comparisons := some(random, 3000)
	var counts Counts
	for _, c := range comparisons {
		counts.Add(c)
	}
	for range 50 {
		noise := map[string]bool{"": random.IntN(2) == 0}
		for f := range 12 {
			noise[fmt.Sprintf("/f%02d", f)] = random.IntN(2) == 0
		}
		var want uint64
		for _, c := range comparisons {
			if slices.ContainsFunc(c.Patterns, func(field string) bool { return !noise[field] }) {
				want++
			}
		}
		if got := counts.Mismatches(func(field string) bool { return !noise[field] }); got != want {
			t.Fatalf("%d mismatches, want %d, with %v", got, want, noise)
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	comparisons := some(rand.New(rand.NewPCG(3, 4)), 2000)
	whole, parts := Tally{}, []Tally{{}, {}, {}}
	for i, c := range comparisons {
		for _, t := range []Tally{whole, parts[i%3]} {
			t.Route("ingest").AA.Add(c)
			t.Route([]string{"ingest", "bulk"}[i%2]).AB.Add(c)
		}
	}
	sum := Tally{}
	for _, i := range []int{2, 0, 1} {
		text, err := json.Marshal(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		var stored Tally
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		sum.Merge(stored)
	}
	if !reflect.DeepEqual(sum, whole) {
		t.Error("three parts, stored and merged, are not the whole")
	}
	one, _ := json.Marshal(whole)
	if other, _ := json.Marshal(sum); string(one) != string(other) {
		t.Error("they are not written alike")
	}
}

func TestClassesAreCountedApart(t *testing.T) {
	var c Counts
	for _, one := range []compare.Comparison{
		{}, {Why: compare.WhyBothInvalid}, {Class: compare.ClassValidity}, {Class: compare.ClassError},
		{Class: compare.ClassSkipped, Why: compare.WhyTooDeep}, mismatch("/a"),
	} {
		c.Add(one)
	}
	if c.Compared != 2 || c.Invalid != 1 || c.Validity != 1 || c.Errors != 1 || c.Skipped["too-deep"] != 1 || c.Uncompared() != 2 {
		t.Errorf("%+v", c)
	}
}

// What finds no room is a mismatch whatever is noise.
func TestAFullTableHidesNothing(t *testing.T) {
	var fields, signatures, long Counts
	for i := range MaxFields + 10 {
		fields.Add(mismatch(fmt.Sprintf("/f%04d", i)))
	}
	for i := range MaxSignatures + 10 {
		var set []string
		for bit := range 14 {
			if i>>bit&1 == 1 {
				set = append(set, fmt.Sprintf("/f%02d", bit))
			}
		}
		signatures.Add(mismatch(append(set, "/x")...))
	}
	for i := range 60 {
		var set []string
		for n := range 100 {
			set = append(set, fmt.Sprintf("/f%01000d", i+n))
		}
		long.Add(mismatch(set...))
	}
	more := mismatch("/f0001")
	more.MorePatterns = true
	fields.Add(more)
	for name, c := range map[string]struct {
		counts *Counts
		other  uint64
	}{"fields": {&fields, 11}, "signatures": {&signatures, 10}, "bytes": {&long, 60 - MaxBytes/100_301}} {
		if c.counts.Other != c.other {
			t.Errorf("%s: %d without room, want %d", name, c.counts.Other, c.other)
		}
		if got := c.counts.Mismatches(func(string) bool { return false }); got != c.other {
			t.Errorf("%s: all is noise, and %d mismatches, want %d", name, got, c.other)
		}
		var merged Counts
		merged.Merge(c.counts)
		merged.Merge(c.counts)
		if got := merged.Mismatches(func(string) bool { return true }); got != 2*c.counts.Compared {
			t.Errorf("%s: merged, %d mismatches of %d", name, got, 2*c.counts.Compared)
		}
	}
}

func TestDamagedCountsAreRefused(t *testing.T) {
	for _, text := range []string{
		`[]`, `{"compared":-1}`, `{"signatures":[{"fields":[0],"count":1}]}`, `{"signatures":[{"fields":[],"count":1}]}`,
		`{"fields":[{"field":"/a"},{"field":"/b"}],"signatures":[{"fields":[1,0],"count":1}]}`,
		`{"fields":[{"field":"/a"}],"signatures":[{"fields":[-1],"count":1}]}`, `{"fields":[{"field":"/a"},{"field":"/a"}]}`,
	} {
		if err := new(Counts).UnmarshalJSON([]byte(text)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
