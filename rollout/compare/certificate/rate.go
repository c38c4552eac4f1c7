package certificate

import (
	"fmt"

	"sluice/rollout"
)

// Need returns the smallest number of trials in which k bad ones prove that the
// rate is at most limit. It is 0 if the limit is 1 or above, which needs no proof,
// and the largest number if it is 0 or below, which has none.
func Need(k uint64, limit, confidence float64) uint64 {
	switch {
	case limit >= 1:
		return 0
	case !(limit > 0) || k > 1<<40:
		return ^uint64(0)
	}
	// The upper bound is where the distribution function has come down to this.
	proves := func(n uint64) bool { return rollout.BinomialCDF(k, n, limit) <= 1-confidence }
	low, high := k, k+1 // low does not prove it
	for !proves(high) {
		if high > 1<<60 {
			return ^uint64(0)
		}
		low, high = high, 2*high
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; proves(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	for rollout.Upper(k, high, confidence) > limit { // by a rounding
		high++
	}
	return high
}

// rate is a line on the rate of k bad ones of n. Only certain of the k, those that
// are bad without doubt, can make it fail.
type rate struct {
	name          string
	k, n, certain uint64
	limit         float64
	confidence    float64
	// noun is what was counted, differs and differ what the bad ones do.
	noun, differs, differ string
}

func (r rate) line() Line {
	l := Line{
		Name: r.name, K: r.k, N: r.n, Limit: r.limit,
		Upper: rollout.Upper(r.k, r.n, r.confidence), Lower: rollout.Lower(r.certain, r.n, r.confidence),
		Need: Need(r.k, r.limit, r.confidence),
	}
	switch {
	case l.Upper <= r.limit:
		l.Proof = Proved
		l.Words = fmt.Sprintf("%s of %d %s: at most %s at %s confidence", r.bad(), r.n, r.noun, percent(l.Upper), percent(r.confidence))
	case l.Lower > r.limit:
		l.Proof = Failed
		l.Words = fmt.Sprintf("%s of %d %s: at least %s at %s confidence, %s are allowed",
			r.bad(), r.n, r.noun, percent(l.Lower), percent(r.confidence), percent(r.limit))
	default:
		l.Proof = Missing
		l.ToGo = l.Need - min(l.Need, r.n)
		l.Words = r.missing(l)
	}
	return l
}

func (r rate) missing(l Line) string {
	if r.k == 0 {
		return fmt.Sprintf("%d of %d %s; %d to go if none %s", r.n, l.Need, r.noun, l.ToGo, r.differs)
	}
	return fmt.Sprintf("%d of %d %s, %s; %d to go if no other %s", r.n, l.Need, r.noun, r.bad(), l.ToGo, r.differs)
}

// bad says how many were bad: "none differs", "1 differs", "7 differ".
func (r rate) bad() string {
	switch r.k {
	case 0:
		return "none " + r.differs
	case 1:
		return "1 " + r.differs
	}
	return fmt.Sprintf("%d %s", r.k, r.differ)
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }
