package guard

import (
	"math"
	"slices"
	"time"

	"sluice/rollout"
)

// The samples of legacy's latency that thresholds are made from.
const (
	LeastSamples = 300
	MostSamples  = 2000
)

// Slower is how many times legacy's quantile is too slow.
const Slower = 5

// Thresholds are the latencies at which Temporal's documents are judged, by
// quantile. They are fixed before a document is judged by them.
type Thresholds rollout.Thresholds

// NewThresholds returns five times the upper 95 % bound of legacy's quantiles,
// from its last latencies; of more than MostSamples the last are taken. It
// returns false if there are fewer than LeastSamples: nothing is judged then.
func NewThresholds(latencies []time.Duration) (Thresholds, bool) {
	if len(latencies) < LeastSamples {
		return Thresholds{}, false
	}
	last := slices.Clone(latencies[max(0, len(latencies)-MostSamples):])
	slices.Sort(last)
	var t Thresholds
	for i, q := range Quantiles() {
		t[i] = Slower * last[Rank(q, len(last))-1]
	}
	return t, true
}

// Quantiles returns what the indexes P50, P90 and P99 stand for.
func Quantiles() [quantiles]float64 { return [quantiles]float64{0.5, 0.9, 0.99} }

// Rank returns which of n sorted samples, from 1 on, is the upper 95 % bound of
// their quantile q.
func Rank(q float64, n int) int {
	trials := float64(n)
	return min(n, int(math.Ceil(q*trials+1.645*math.Sqrt(q*(1-q)*trials))))
}

// Judge counts one of Temporal's documents. One that is bad (an error, a timeout)
// is slow, however soon it failed.
func (t Thresholds) Judge(arm *Arm, latency time.Duration, bad bool) {
	arm.Judged++
	for i, limit := range t {
		if bad || latency > limit {
			arm.Slow[i]++
		}
	}
}
