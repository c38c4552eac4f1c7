package certificate

import (
	"math"
	"testing"

	"sluice/rollout"
)

func TestNeedGivesTheKnownCounts(t *testing.T) {
	for k, want := range map[uint64]uint64{0: 299, 1: 473, 2: 628, 5: 1049, 10: 1693, 20: 2902} {
		if got := Need(k, 0.01, 0.95); got != want {
			t.Errorf("%d: %d, want %d", k, got, want)
		}
	}
	for k := range uint64(300) {
		n := Need(k, 0.01, 0.95)
		if rollout.Upper(k, n, 0.95) > 0.01 || rollout.Upper(k, n-1, 0.95) <= 0.01 {
			t.Errorf("%d: %d is not the smallest that proves it", k, n)
		}
	}
	if got := Need(1_000_000, 0.01, 0.95); got < 100_000_000 || got > 101_000_000 {
		t.Errorf("a million: %d", got)
	}
	for _, c := range []struct {
		limit float64
		want  uint64
	}{{1, 0}, {2, 0}, {0, math.MaxUint64}, {-1, math.MaxUint64}, {math.NaN(), math.MaxUint64}} {
		if got := Need(3, c.limit, 0.95); got != c.want {
			t.Errorf("limit %v: %d", c.limit, got)
		}
	}
}

// A line turns proved exactly where the counts say so, and never before.
func TestALineTurnsWhereTheCountsSay(t *testing.T) {
	for k := range uint64(7) {
		need := Need(k, 0.01, 0.95)
		for n := max(k, 1); n < need+3; n++ {
			l := mismatches(Evidence{Compared: n, Mismatches: k}, DefaultLimits())
			if (l.Proof == Proved) != (n >= need) {
				t.Fatalf("%d of %d: %+v", k, n, l)
			}
			if l.Proof == Missing && n+l.ToGo != need {
				t.Fatalf("%d of %d: %d to go, want %d", k, n, l.ToGo, need-n)
			}
			if fails := rollout.BinomialCDF(max(k, 1)-1, n, 0.01) > 0.95 && k > 0; fails != (l.Proof == Failed) {
				t.Fatalf("%d of %d: %+v", k, n, l)
			}
		}
	}
}

// The figures of the package comment: how often a path that is not good enough is
// passed by somebody who looks after every comparison and stops at the first pass.
// They are exact, by going through all numbers of mismatches.
func TestTheCostOfLookingOften(t *testing.T) {
	const last = 3000
	var needs []uint64
	for k := uint64(0); len(needs) == 0 || needs[k-1] <= last; k++ {
		needs = append(needs, Need(k, 0.01, 0.95))
	}
	for _, c := range []struct{ rate, want float64 }{{0.01, 0.197}, {0.015, 0.0189}, {0.02, 0.0030}} {
		chances, passed := make([]float64, last+2), 0.0
		chances[0] = 1
		for n := uint64(1); n <= last; n++ {
			for k := n; k > 0; k-- {
				chances[k] = chances[k]*(1-c.rate) + chances[k-1]*c.rate
			}
			chances[0] *= 1 - c.rate
			for k := 0; k < len(needs) && needs[k] <= n; k++ {
				passed += chances[k]
				chances[k] = 0
			}
		}
		if math.Abs(passed-c.want) > 0.01*c.want+0.0001 {
			t.Errorf("at %v: passed with a chance of %.4f, want %.4f", c.rate, passed, c.want)
		}
	}
}
