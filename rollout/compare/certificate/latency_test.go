package certificate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"sluice/rollout"
)

func TestRanksBoundThePercentile(t *testing.T) {
	const confidence = 0.975
	for _, n := range []uint64{0, 1, 2, 100, 367, 368, 1000, 2000, 100_000} {
		low, high := Ranks(n, confidence)
		if n >= 368 != (high > 0) {
			t.Errorf("%d: the upper rank is %d", n, high)
		}
		// The definitions, one rank to each side.
		if high > 0 && (rollout.BinomialCDF(high-1, n, 0.99) < confidence || rollout.BinomialCDF(high-2, n, 0.99) >= confidence) {
			t.Errorf("%d: %d is not the smallest upper rank", n, high)
		}
		if low > 0 && (1-rollout.BinomialCDF(low-1, n, 0.99) < confidence || low < n && 1-rollout.BinomialCDF(low, n, 0.99) >= confidence) {
			t.Errorf("%d: %d is not the largest lower rank", n, low)
		}
		if n > 0 && (low == 0 || low > n || high > n) {
			t.Errorf("%d: %d, %d", n, low, high)
		}
	}
	if got := Need99(0.975); got != 368 {
		t.Errorf("it takes %d", got)
	}
}

// Of samples of latencies with a known p99 each bound is wrong in 2.5 % at most.
func TestP99IsInsideItsBounds(t *testing.T) {
	const runs = 1000
	random := rand.New(rand.NewPCG(5, 6))
	truth := time.Duration(math.Exp(2.3263) * float64(time.Millisecond)) // lognormal
	below, above := uint64(0), uint64(0)
	for range runs {
		sample := make([]time.Duration, 500)
		for i := range sample {
			sample[i] = time.Duration(math.Exp(random.NormFloat64()) * float64(time.Millisecond))
		}
		q := P99(sample, 0.95)
		if q.Low > q.P99 || q.P99 > q.High || !q.Bounded || q.N != 500 {
			t.Fatalf("%+v", q)
		}
		if truth < q.Low {
			below++
		}
		if truth > q.High {
			above++
		}
	}
	t.Logf("of %d runs the p99 was below its bounds in %d, above in %d", runs, below, above)
	if rollout.Lower(below, runs, 0.99) > 0.025 || rollout.Lower(above, runs, 0.99) > 0.025 {
		t.Errorf("of %d runs the p99 was below its bounds in %d, above in %d", runs, below, above)
	}
	if q := P99(nil, 0.95); q != (Quantile{}) {
		t.Errorf("%+v", q)
	}
}

// A shadow exactly twice as slow is proved below that in 5 % of the runs at most; one
// that is as fast as legacy nearly always.
func TestTwiceAsSlowIsNotPassed(t *testing.T) {
	const runs = 400
	random := rand.New(rand.NewPCG(7, 8))
	latencies := func(scale float64) Quantile {
		sample := make([]time.Duration, 2000)
		for i := range sample {
			sample[i] = time.Duration(scale * (10 + math.Exp(random.NormFloat64())) * float64(time.Millisecond))
		}
		return P99(sample, 0.95)
	}
	passed, same, failed := uint64(0), 0, 0
	for range runs {
		legacy := latencies(1)
		for scale, count := range map[float64]func(Proof){
			2: func(p Proof) {
				if p == Proved {
					passed++
				}
			},
			1: func(p Proof) {
				if p == Proved {
					same++
				}
			},
			4: func(p Proof) {
				if p == Failed {
					failed++
				}
			},
		} {
			count(latency(Evidence{Shadow: latencies(scale), Legacy: legacy}, DefaultLimits()).Proof)
		}
	}
	if rollout.Lower(passed, runs, 0.99) > 0.05 || same < runs*99/100 || failed < runs*99/100 {
		t.Errorf("of %d runs: twice as slow passed in %d, as fast in %d, four times as slow failed in %d", runs, passed, same, failed)
	}
}
