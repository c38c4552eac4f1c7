package noise

import (
	"math"
	"math/big"
	"testing"
)

// exactFisher sums the hypergeometric terms in integers.
func exactFisher(a, n, b, m int64) float64 {
	sum, k := new(big.Int), a+b
	for x := a; x <= min(k, n); x++ {
		if k-x <= m {
			sum.Add(sum, new(big.Int).Mul(new(big.Int).Binomial(n, x), new(big.Int).Binomial(m, k-x)))
		}
	}
	p, _ := new(big.Rat).SetFrac(sum, new(big.Int).Binomial(n+m, k)).Float64()
	return p
}

func TestFisherIsExact(t *testing.T) {
	for n := int64(1); n <= 25; n += 4 {
		for m := int64(1); m <= 25; m += 3 {
			for a := range n + 1 {
				for b := range m + 1 {
					want, got := exactFisher(a, n, b, m), Fisher(uint64(a), uint64(n), uint64(b), uint64(m))
					if math.Abs(got-want) > 1e-10 {
						t.Fatalf("%d of %d, %d of %d: %v, want %v", a, n, b, m, got, want)
					}
				}
			}
		}
	}
	for _, c := range [][4]int64{{40, 2000, 0, 200}, {640, 2000, 120, 400}, {700, 2000, 100, 400}, {3, 2000, 300, 400}, {2000, 2000, 0, 1}} {
		want, got := exactFisher(c[0], c[1], c[2], c[3]), Fisher(uint64(c[0]), uint64(c[1]), uint64(c[2]), uint64(c[3]))
		if math.Abs(got-want) > 1e-9*want+1e-300 {
			t.Errorf("%v: %v, want %v", c, got, want)
		}
	}
}

func TestFisherWithoutPairsProvesNothing(t *testing.T) {
	for _, c := range [][4]uint64{{0, 0, 0, 0}, {5, 10, 0, 0}, {0, 10, 5, 10}, {0, 0, 5, 10}} {
		if got := Fisher(c[0], c[1], c[2], c[3]); got != 1 {
			t.Errorf("%v: %v", c, got)
		}
	}
}

// The examples of Newcombe (1998), table II, method 10.
func TestNewcombe(t *testing.T) {
	for _, c := range []struct {
		a, n, b, m uint64
		low, high  float64
	}{
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{10, 10, 0, 10, 0.6075, 1},
		{0, 10, 0, 10, -0.2775, 0.2775},
		{5, 56, 0, 29, -0.0381, 0.1926},
	} {
		if low, high := Newcombe(c.a, c.n, c.b, c.m); math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%+v: %.4f %.4f", c, low, high)
		}
	}
}
