package guard

import (
	"fmt"
	"math"
	"strconv"

	"sluice/rollout"
)

// Proof is what one test says of a step, as it stands on a certificate.
type Proof struct {
	Test   string `json:"test"`
	Passed bool   `json:"passed"`
	// K of N were bad, disagreed, or were assigned to Temporal.
	K uint64 `json:"k"`
	N uint64 `json:"n"`
	// Value was reached; it had to be at most Limit, or at least for the sample
	// ratio.
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	// Missing says what a proof that did not pass waits for.
	Missing string `json:"missing,omitempty"`
	// More is about how many documents or comparisons are missing; 0 if that
	// cannot be told.
	More uint64 `json:"more,omitempty"`
}

// Errors tests that Temporal's bad rate is below Ratio times legacy's: given
// all bad events, few enough are Temporal's. A bad rate that is proved to be
// below the floor passes too, or two paths without errors would never pass.
func (s *Standard) Errors(t *Tally) Proof {
	bad, both := t.Sum.Temporal.Bad, t.Sum.Temporal.Bad+t.Sum.Legacy.Bad
	served, all := t.Sum.Temporal.Settled(), t.Sum.Temporal.Settled()+t.Sum.Legacy.Settled()
	p := Proof{Test: "error_ratio", K: bad, N: both, Value: 1, Limit: s.Alpha}
	w := float64(t.Exposure) / float64(rollout.All)
	if w == 0 {
		p.Missing = "no documents are served by Temporal"
		return p
	}
	q := s.Ratio * w / (s.Ratio*w + 1 - w)
	if both > 0 && w < 1 {
		p.Value = rollout.BinomialCDF(bad, both, q)
		p.Passed = p.Value <= p.Limit
	}
	if upper := rollout.Upper(bad, served, 1-s.Alpha); !p.Passed && upper <= s.Floor {
		p = Proof{Test: "error_floor", K: bad, N: served, Value: upper, Limit: s.Floor, Passed: true}
	}
	if p.Passed {
		return p
	}
	about := float64(fewest(func(n float64) bool {
		return rollout.BinomialCDF(bad, served+uint64(n), s.Floor) <= s.Alpha // as Upper <= Floor, and sooner
	})) / w
	if both > 0 && w < 1 {
		events := fewest(func(n float64) bool {
			return rollout.BinomialCDF(bad+uint64(n*w), both+uint64(n), q) <= s.Alpha
		})
		about = min(about, float64(events)*float64(all)/float64(both))
	}
	return p.waitFor(all, uint64(math.Ceil(about)), "documents")
}

// Agreement tests that the rate of mismatches is below Mismatch.
func (s *Standard) Agreement(t *Tally) Proof {
	k, n := t.Sum.Mismatched, t.Sum.Compared
	p := Proof{Test: "mismatch", K: k, N: n, Value: rollout.Upper(k, n, 1-s.Alpha), Limit: s.Mismatch}
	if p.Passed = p.Value <= p.Limit; p.Passed {
		return p
	}
	return p.waitFor(n, fewest(func(more float64) bool {
		return rollout.BinomialCDF(k, n+uint64(more), s.Mismatch) <= s.Alpha // as Upper <= Mismatch, and sooner
	}), "comparisons")
}

// Assignment tests that as many documents were assigned to Temporal as the
// exposure says: other numbers mean that assignments of one path are lost, and
// then no comparison of the paths is fair.
func (s *Standard) Assignment(t *Tally) Proof {
	k, n := t.Sum.Temporal.sample(), t.Sum.Temporal.sample()+t.Sum.Legacy.sample()
	w := float64(t.Exposure) / float64(rollout.All)
	p := Proof{Test: "sample_ratio", K: k, N: n, Value: twoSided(k, n, w), Limit: s.SampleRatio}
	if p.Passed = p.Value >= p.Limit; !p.Passed {
		p.Missing = fmt.Sprintf("%s of %s documents were assigned to Temporal where %s should be: assignments of one path are being lost",
			thousands(k), thousands(n), t.Exposure)
	}
	return p
}

// twoSided returns the exact two-sided p-value of k of n at probability w.
func twoSided(k, n uint64, w float64) float64 {
	above := 1.0
	if k > 0 {
		above = 1 - rollout.BinomialCDF(k-1, n, w)
	}
	return min(1, 2*min(rollout.BinomialCDF(k, n, w), above))
}

// waitFor says how many there are of about how many.
func (p Proof) waitFor(have, more uint64, what string) Proof {
	p.More = more
	about := float64(have + more)
	unit := math.Pow(10, max(0, math.Floor(math.Log10(max(1, about)))-2)) // three figures
	p.Missing = fmt.Sprintf("%s of about %s %s", thousands(have), thousands(uint64(math.Ceil(about/unit)*unit)), what)
	return p
}

// thousands writes a number with commas.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
