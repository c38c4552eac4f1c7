package guard

import (
	"errors"
	"math"
	"testing"

	"sluice/rollout"
)

func tally(exposure rollout.Exposure, temporal, legacy Arm) *Tally {
	return &Tally{Exposure: exposure, Sum: Segment{Temporal: temporal, Legacy: legacy}}
}

// The numbers of documents that the design names.
func TestDocumentsThatErrorsNeed(t *testing.T) {
	s := DefaultStandard()
	for _, test := range []struct {
		name     string
		exposure rollout.Exposure
		t, l     Arm
		passed   bool
		missing  string
	}{
		{"no errors at all, just enough", 100_000, Arm{Good: 2_995}, Arm{Good: 26_955}, true, ""},
		{"no errors at all, one short", 100_000, Arm{Good: 2_994}, Arm{Good: 26_955}, false, "29,949 of about 30,000 documents"},
		{"nothing yet", 100_000, Arm{}, Arm{}, false, "0 of about 30,000 documents"},
		{"no worse, enough", 100_000, Arm{Bad: 6, Good: 1_254}, Arm{Bad: 58, Good: 11_282}, true, ""},
		{"no worse, half way", 100_000, Arm{Bad: 3, Good: 627}, Arm{Bad: 28, Good: 5_641}, false, "6,299 of about 11,200 documents"},
		{"the first error", 100_000, Arm{Good: 20}, Arm{Bad: 1, Good: 179}, false, "200 of about 9,600 documents"},
		{"no worse at half, enough", 500_000, Arm{Bad: 12, Good: 2_488}, Arm{Bad: 13, Good: 2_487}, true, ""},
		{"twice as bad", 500_000, Arm{Bad: 2000, Good: 98_000}, Arm{Bad: 1000, Good: 99_000}, false, "200,000 of about 218,000 documents"},
		{"all of it, few errors", rollout.All, Arm{Bad: 1, Good: 9_999}, Arm{}, true, ""},
		{"none of it", rollout.None, Arm{}, Arm{Good: 1e6}, false, "no documents are served by Temporal"},
	} {
		p := s.Errors(tally(test.exposure, test.t, test.l))
		if p.Passed != test.passed || p.Missing != test.missing {
			t.Errorf("%s: passed %v, missing %q, value %v", test.name, p.Passed, p.Missing, p.Value)
		}
	}
}

func TestComparisonsThatAgreementNeeds(t *testing.T) {
	s := DefaultStandard()
	for k, n := range map[uint64]uint64{0: 299, 1: 473, 2: 628, 5: 1049, 10: 1693, 20: 2902} {
		enough := &Tally{Sum: Segment{Compared: n, Mismatched: k}}
		short := &Tally{Sum: Segment{Compared: n - 1, Mismatched: k}}
		if p := s.Agreement(enough); !p.Passed {
			t.Errorf("%d of %d: %+v", k, n, p)
		}
		if p := s.Agreement(short); p.Passed || p.More != 1 {
			t.Errorf("%d of %d: %+v", k, n-1, p)
		}
	}
	if got, want := s.Agreement(&Tally{}).Missing, "0 of about 299 comparisons"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLostAssignmentsAreSeen(t *testing.T) {
	s := DefaultStandard()
	for _, test := range []struct {
		name     string
		exposure rollout.Exposure
		t, l     uint64
		passed   bool
	}{
		{"no documents", 100_000, 0, 0, true},
		{"as it should be", 100_000, 1_000, 9_000, true},
		{"within chance", 100_000, 1_090, 8_910, true},
		{"a tenth of Temporal's lost", 100_000, 880, 9_000, false},
		{"a tenth of legacy's lost", 500_000, 5_000, 4_500, false},
		{"all on Temporal", rollout.All, 5_000, 0, true},
		{"one on legacy at full exposure", rollout.All, 5_000, 1, false},
		{"one on Temporal at none", rollout.None, 1, 5_000, false},
	} {
		p := s.Assignment(tally(test.exposure, Arm{Placed: test.t}, Arm{Placed: test.l}))
		if p.Passed != test.passed || (p.Missing == "") != test.passed {
			t.Errorf("%s: %+v", test.name, p)
		}
	}
	if got := twoSided(0, 10, 0.5); math.Abs(got-2.0/1024) > 1e-12 {
		t.Errorf("none of ten at a half: %v", got)
	}
}

// A document counts in the step in which it was assigned, and in no other.
func TestTallyCountsTheStepAlone(t *testing.T) {
	tally := Tally{Epoch: 5, Exposure: 100_000}
	b := Bin{Second: 1}
	b.At(4, 100_000).Temporal.Bad = 1 // a late failure of the step before
	b.At(5, 100_000).Temporal.Bad = 2
	b.At(6, 50_000).Temporal.Bad = 4 // the flag was lowered
	b.At(7, 100_000).Temporal.Bad = 8
	if err := tally.Add(b); err != nil {
		t.Fatal(err)
	}
	if err := tally.Add(b); !errors.Is(err, ErrPast) {
		t.Errorf("the second was added twice: %v", err)
	}
	if got := tally.Sum.Temporal.Bad; got != 10 {
		t.Errorf("%d bad documents, want 10", got)
	}
}

func TestStandardSaysWhatToDo(t *testing.T) {
	s := DefaultStandard()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	s.Ratio = 1
	if err := s.Validate(); err == nil {
		t.Error("a ratio of 1 can be proved?")
	}
}
