package simulate

import (
	"math"
	"math/rand/v2"
)

// source draws from the distributions that traffic is made of.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0x51a1ce))} }

// poisson draws how many events happen where mean are expected.
func (s source) poisson(mean float64) uint64 {
	if mean <= 0 {
		return 0
	}
	if mean > 500 { // as good as normal
		return uint64(max(0, math.Round(mean+math.Sqrt(mean)*s.NormFloat64())))
	}
	n, u, p := uint64(0), s.Float64(), math.Exp(-mean)
	for u > p && p > 0 {
		u -= p
		n++
		p *= mean / float64(n)
	}
	return n
}

// some draws as poisson, given that there is at least one.
func (s source) some(mean float64) uint64 {
	p := math.Exp(-mean)
	u := p + s.Float64()*(1-p)
	n := uint64(0)
	for u > p && p > 0 {
		u -= p
		n++
		p *= mean / float64(n)
	}
	return max(1, n)
}

// gap draws how many seconds pass without an event where mean are expected in
// each.
func (s source) gap(mean float64) int64 {
	if mean <= 0 {
		return math.MaxInt32
	}
	return int64(min(math.MaxInt32, s.ExpFloat64()/mean))
}

// of draws how many of n are of one kind, whose share is p.
func (s source) of(n uint64, p float64) (k uint64) {
	for range n {
		if s.Float64() < p {
			k++
		}
	}
	return k
}
