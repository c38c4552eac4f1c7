// Package simulate plays traffic whose truth is known to the guardrails and to the
// literal rules that they replace ("error rate of the last five minutes above
// twice legacy's"), and counts false rollbacks and the time to a true one.
//
// Outcomes are independent of each other unless a world says otherwise. A run is
// the same for the same seed. Seconds in which nothing bad happened are skipped:
// their good documents are drawn as one sum, which changes no decision, because
// only bad ones move the evidence for a ratio.
package simulate

import "sluice/rollout"

// Never is the second of what did not happen.
const Never int64 = -1

// World is traffic and its truth. Rates are 0..1.
type World struct {
	// Rate is the documents a second, of which Exposure go to Temporal.
	Rate     float64
	Exposure rollout.Exposure
	// Legacy and Temporal are the paths' bad rates.
	Legacy   float64
	Temporal float64
	// Shocks are other bad rates for a while, in order of time.
	Shocks []Shock
	// Poison is documents that fail whenever they are sent.
	Poison Poison
	// Seconds is how long it is watched.
	Seconds int64
}

// Shock is a time of other bad rates, from a second on.
type Shock struct {
	From     int64
	Seconds  int64
	Legacy   float64
	Temporal float64
}

// Poison is documents of Temporal that their clients retry in vain.
type Poison struct {
	// Documents come at equal distances over the time watched.
	Documents int64
	// Retries follow each other ten seconds apart.
	Retries int64
	// EachCounts counts every retry, against the rules.
	EachCounts bool
}

// at returns the bad rates at a second, and until when they hold.
func (w *World) at(second int64) (legacy, temporal float64, until int64) {
	for _, s := range w.Shocks {
		if second < s.From {
			return w.Legacy, w.Temporal, s.From
		}
		if second < s.From+s.Seconds {
			return s.Legacy, s.Temporal, s.From + s.Seconds
		}
	}
	return w.Legacy, w.Temporal, w.Seconds
}

// Harm is when the last shock begins, or 0 without any.
func (w *World) Harm() int64 {
	if n := len(w.Shocks); n > 0 {
		return w.Shocks[n-1].From
	}
	return 0
}
