package rollout

import (
	"math"
	"testing"
)

func TestUpperGivesTheKnownCounts(t *testing.T) {
	for k, n := range map[uint64]uint64{0: 299, 1: 473, 2: 628, 5: 1049, 10: 1693, 20: 2902} {
		if got := Upper(k, n, 0.95); got > 0.01 {
			t.Errorf("%d of %d: %.6f, want at most 0.01", k, n, got)
		}
		if got := Upper(k, n-1, 0.95); got <= 0.01 {
			t.Errorf("%d of %d: %.6f, want above 0.01", k, n-1, got)
		}
	}
}

// The sums are taken term by term here, which is exact and slow.
func TestBinomialCDFIsTheSum(t *testing.T) {
	for _, n := range []uint64{1, 2, 7, 40, 300} {
		for _, p := range []float64{0.001, 0.05, 0.3, 0.5, 0.9, 0.999} {
			sum := 0.0
			for k := range n {
				sum += math.Exp(lgamma(float64(n)+1) - lgamma(float64(k)+1) - lgamma(float64(n-k)+1) +
					float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
				if got := BinomialCDF(k, n, p); math.Abs(got-sum) > 1e-10 {
					t.Fatalf("P(Bin(%d, %v) <= %d) = %v, want %v", n, p, k, got, sum)
				}
			}
		}
	}
}

func TestBoundsAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"no trials, upper", Upper(0, 0, 0.95), 1},
		{"no trials, lower", Lower(0, 0, 0.95), 0},
		{"all, upper", Upper(5, 5, 0.95), 1},
		{"none, lower", Lower(0, 5, 0.95), 0},
		{"all of one, lower", Lower(1, 1, 0.95), 0.05},
		{"none of one, upper", Upper(0, 1, 0.95), 0.95},
		{"none of a million", Upper(0, 1_000_000, 0.95), 2.9957e-6},
		{"half of two million", Upper(1_000_000, 2_000_000, 0.975), 0.500693},
		{"Wilson, nothing", WilsonLower(0, 0, 1.96), 0},
		{"Wilson, 10 of 100", WilsonLower(10, 100, 1.96), 0.05523},
	} {
		if math.Abs(c.got-c.want) > 1e-5*max(c.want, 1e-4) && math.Abs(c.got-c.want) > 1e-5 {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestLowerMirrorsUpper(t *testing.T) {
	for _, n := range []uint64{1, 10, 1000} {
		for k := range n + 1 {
			if a, b := Lower(k, n, 0.9), 1-Upper(n-k, n, 0.9); math.Abs(a-b) > 1e-9 {
				t.Fatalf("Lower(%d, %d) = %v, 1 - Upper = %v", k, n, a, b)
			}
		}
	}
}
