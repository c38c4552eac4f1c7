package certificate

import (
	"fmt"
	"slices"
	"time"

	"sluice/rollout"
)

// Quantile is a p99 and what is known of it: with a one-sided confidence that
// Side gives, it is at least Low, and likewise at most High.
type Quantile struct {
	N    uint64        `json:"n"`
	P99  time.Duration `json:"p99_ns"`
	Low  time.Duration `json:"low_ns"`
	High time.Duration `json:"high_ns"`
	// Bounded: there are enough for High. Without it High is not used.
	Bounded bool `json:"bounded"`
}

const p99 = 0.99

// Side returns the confidence of each bound, so that two of them hold together
// with the given one.
func Side(confidence float64) float64 { return 1 - (1-confidence)/2 }

// Ranks returns which of n sorted values, from 1, bound their p99 from below and
// above, each with a one-sided confidence. The bounds are exact order statistics
// and assume nothing of how the values are distributed. A rank is 0 if n is too
// small for it; the upper one takes 368 values at 97.5 %.
//
// Of a histogram the lower rank's bucket gives Low by its lower edge, the upper
// rank's gives High by its upper edge.
func Ranks(n uint64, confidence float64) (low, high uint64) {
	// The value of rank r is at least the p99 if fewer than r lie below that.
	high = smallest(n, func(r uint64) bool { return rollout.BinomialCDF(r-1, n, p99) >= confidence })
	// It is at most the p99 if r or more lie there or below.
	over := smallest(n, func(r uint64) bool { return 1-rollout.BinomialCDF(r-1, n, p99) < confidence })
	switch {
	case n == 0:
		return 0, 0
	case over == 0:
		return n, high
	}
	return over - 1, high
}

// smallest returns the smallest rank up to n for which holds is true; 0 if none.
// It stays true for larger ones.
func smallest(n uint64, holds func(rank uint64) bool) uint64 {
	if n == 0 || !holds(n) {
		return 0
	}
	low, high := uint64(0), n // low does not hold, high does
	for high-low > 1 {
		if middle := low + (high-low)/2; holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// P99 returns the p99 of latencies, and its bounds at Side(confidence). It sorts
// them. A run that never ended counts with the time that was waited for it.
func P99(latencies []time.Duration, confidence float64) Quantile {
	slices.Sort(latencies)
	n := uint64(len(latencies))
	if n == 0 {
		return Quantile{}
	}
	q := Quantile{N: n, P99: latencies[(n*99+99)/100-1]}
	low, high := Ranks(n, Side(confidence))
	if low > 0 {
		q.Low = latencies[low-1]
	}
	if high > 0 {
		q.High, q.Bounded = latencies[high-1], true
	}
	return q
}

// latency proves that the shadow's p99 is below so many times legacy's. The two
// samples' errors add up, so a sound proof compares the shadow's upper bound with
// legacy's lower one, and a sound refusal the other two.
func latency(e Evidence, limits Limits) Line {
	l := Line{Name: "latency", N: min(e.Shadow.N, e.Legacy.N), Limit: limits.Latency}
	times := func(d time.Duration) float64 { return limits.Latency * float64(d) }
	switch {
	case e.Shadow.Bounded && float64(e.Shadow.High) < times(e.Legacy.Low):
		l.Proof = Proved
		l.Words = fmt.Sprintf("the shadow's p99 is at most %v, below %g times legacy's, which is at least %v", e.Shadow.High, limits.Latency, e.Legacy.Low)
		return l
	case e.Legacy.Bounded && float64(e.Shadow.Low) >= times(e.Legacy.High):
		l.Proof = Failed
		l.Words = fmt.Sprintf("the shadow's p99 is at least %v, not below %g times legacy's, which is at most %v", e.Shadow.Low, limits.Latency, e.Legacy.High)
		return l
	}
	l.Proof, l.Need = Missing, Need99(Side(limits.Confidence))
	if l.N < l.Need {
		l.ToGo = l.Need - l.N
		l.Words = fmt.Sprintf("%d of %d latencies of each path; %d to go at least", l.N, l.Need, l.ToGo)
		return l
	}
	l.Words = fmt.Sprintf("not settled: the shadow's p99 is %v (%v to %v), legacy's %v (%v to %v)",
		e.Shadow.P99, e.Shadow.Low, e.Shadow.High, e.Legacy.P99, e.Legacy.Low, e.Legacy.High)
	return l
}

// Need99 returns how many values it takes to bound a p99 from above.
func Need99(confidence float64) uint64 {
	return Need(0, 1-p99, confidence)
}
