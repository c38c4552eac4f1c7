package noise

import (
	"math"

	"sluice/rollout"
)

// Fisher returns the one-sided p-value of Fisher's exact test: were the rate the
// same in both samples, the probability that as much of the differing, or more,
// would fall to the first. It is 1 where a sample is empty.
func Fisher(differed, pairs, otherDiffered, otherPairs uint64) float64 {
	if pairs == 0 || otherPairs == 0 || differed == 0 {
		return 1
	}
	t := table{pairs: pairs, otherPairs: otherPairs, differed: differed + otherDiffered}
	if mean := float64(t.differed) * float64(pairs) / float64(pairs+otherPairs); float64(differed) <= mean {
		return min(1, max(0, 1-t.below(differed))) // the shorter tail
	}
	return min(1, t.above(differed))
}

// table is the margins of a two-by-two table.
type table struct {
	pairs, otherPairs, differed uint64
}

// chance returns the probability that x of the differing fall to the first sample.
func (t table) chance(x uint64) float64 {
	return math.Exp(choose(t.pairs, x) + choose(t.otherPairs, t.differed-x) - choose(t.pairs+t.otherPairs, t.differed))
}

// above returns the probability of x or more.
func (t table) above(x uint64) float64 {
	last := min(t.differed, t.pairs)
	term := t.chance(x)
	sum := term
	for ; x < last; x++ {
		term *= float64(t.pairs-x) * float64(t.differed-x) / (float64(x+1) * (float64(t.otherPairs) - float64(t.differed-x) + 1))
		if sum += term; term < sum*1e-16 {
			break
		}
	}
	return sum
}

// below returns the probability of less than x.
func (t table) below(x uint64) float64 {
	first := uint64(0)
	if t.differed > t.otherPairs {
		first = t.differed - t.otherPairs
	}
	if x <= first {
		return 0
	}
	x--
	term := t.chance(x)
	sum := term
	for ; x > first; x-- {
		term *= float64(x) * (float64(t.otherPairs) - float64(t.differed-x)) / (float64(t.pairs-x+1) * float64(t.differed-x+1))
		if sum += term; term < sum*1e-16 {
			break
		}
	}
	return sum
}

// choose returns the logarithm of the binomial coefficient.
func choose(n, k uint64) float64 {
	lgamma := func(v uint64) float64 {
		value, _ := math.Lgamma(float64(v) + 1)
		return value
	}
	return lgamma(n) - lgamma(k) - lgamma(n-k)
}

// z is the normal quantile of a two-sided interval of 95 %.
const z = 1.959963984540054

// Newcombe returns the two-sided 95 % interval of the difference of two rates, by
// Newcombe's method 10, from the Wilson intervals of both. Without pairs a rate may
// be anything.
func Newcombe(differed, pairs, otherDiffered, otherPairs uint64) (low, high float64) {
	p, pLow, pHigh := wilson(differed, pairs)
	q, qLow, qHigh := wilson(otherDiffered, otherPairs)
	return p - q - math.Hypot(p-pLow, qHigh-q), p - q + math.Hypot(pHigh-p, q-qLow)
}

func wilson(k, n uint64) (rate, low, high float64) {
	if n == 0 {
		return 0, 0, 1
	}
	return float64(k) / float64(n), rollout.WilsonLower(k, n, z), 1 - rollout.WilsonLower(n-k, n, z)
}
