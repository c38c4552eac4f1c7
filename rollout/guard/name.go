package guard

import "fmt"

// Name is one guardrail.
type Name uint8

// The closed set of guardrails.
const (
	// ErrorRatio: Temporal's bad rate over legacy's, against the harm that rolls
	// back.
	ErrorRatio Name = iota
	// ErrorExcess: the same, against any excess that should stop a plan.
	ErrorExcess
	// ErrorRate: Temporal's bad rate itself, where legacy has too few documents
	// for a ratio.
	ErrorRate
	// LatencyP99, LatencyP90 and LatencyP50: documents slower than five times
	// legacy's quantile.
	LatencyP99
	LatencyP90
	LatencyP50
	// Mismatch: shadow and primary disagree.
	Mismatch
	// DeadLetter: a saga gave up and left something behind.
	DeadLetter
	// ValidityMore: Temporal answers 4xx more often than legacy.
	ValidityMore
	// ValidityLess: Temporal answers 4xx less often than legacy.
	ValidityLess
	// Conservation: a document was lost, doubled or corrupted. One is enough.
	Conservation
)

var names = [...]string{"error_ratio", "error_excess", "error_rate", "latency_p99", "latency_p90", "latency_p50",
	"mismatch", "dead_letter", "validity_more", "validity_less", "conservation"}

// Names lists them all, in the order in which they are looked at.
func Names() []Name {
	all := make([]Name, len(names))
	for i := range all {
		all[i] = Name(i)
	}
	return all
}

// String returns the word used in configuration, metrics and logs.
func (n Name) String() string { return names[n] }

// MarshalText writes the word.
func (n Name) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads the word.
func (n *Name) UnmarshalText(text []byte) error {
	for i, name := range names {
		if name == string(text) {
			*n = Name(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no guardrail: use one of %v", text, names)
}

// kind is how a guardrail's events are weighed.
type kind uint8

const (
	ratio kind = iota // bad events of two arms
	rate              // bad ones among trials
	count             // none is allowed
)

func (n Name) kind() kind {
	switch n {
	case ErrorRatio, ErrorExcess, ValidityMore, ValidityLess:
		return ratio
	case Conservation:
		return count
	}
	return rate
}

// quantile returns which latency the guardrail judges, if it judges one.
func (n Name) quantile() (Quantile, bool) {
	switch n {
	case LatencyP99:
		return P99, true
	case LatencyP90:
		return P90, true
	case LatencyP50:
		return P50, true
	}
	return 0, false
}

// pair is what a ratio is judged by, from one segment.
type pair struct {
	suspect, other uint64 // events of the arm that may be worse, and of the other
	settled        uint64 // documents of the suspect with an outcome
	share          float64
}

// pair reads a ratio's counts. Without documents in both arms there is no ratio:
// the share is then 0.
func (n Name) pair(s *Segment) pair {
	if !s.Split() {
		return pair{}
	}
	w := s.Share()
	switch n {
	case ValidityMore:
		return pair{s.Temporal.Invalid, s.Legacy.Invalid, s.Temporal.Settled(), w}
	case ValidityLess:
		return pair{s.Legacy.Invalid, s.Temporal.Invalid, s.Legacy.Settled(), 1 - w}
	}
	return pair{s.Temporal.Bad, s.Legacy.Bad, s.Temporal.Settled(), w}
}

// trials reads a rate's counts: k bad ones of n.
func (n Name) trials(s *Segment, g *Guardrail) (k, trials uint64) {
	t := &s.Temporal
	if q, latency := n.quantile(); latency {
		return t.Slow[q], t.Judged
	}
	switch n {
	case Mismatch:
		return s.Mismatched, s.Compared
	case DeadLetter:
		return t.DeadLetters, t.Settled()
	case ErrorRate:
		if s.Exposure >= g.From {
			return t.Bad, t.Settled()
		}
	}
	return 0, 0
}
