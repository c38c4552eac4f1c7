// Package certificate says whether phase one has passed: whether it is proved that
// the two paths give the same results. It is a pure function of counts, latencies
// and gates, so that a stored certificate can be checked by working it out again.
//
// Each line is proved, missing or failed. The whole is
//
//	green    if every line is proved,
//	red      if a line has failed,
//	pending  otherwise: what is missing may still come.
//
// A failed line is one that the evidence contradicts, at the same confidence that a
// proof takes. In between nothing is proved, either way.
//
// The confidence is that of one look at the bounds. Whoever looks after every
// comparison and stops at the first green one is wrong more often: a true rate of
// mismatches of just 1 % turns green at some time within 3,000 comparisons with a
// chance of 20 %, one of 1.5 % with 2 %, one of 2 % with 0.3 %. So look when a number
// of comparisons that was fixed before is reached, or mind the difference.
package certificate

import (
	"time"

	"sluice/rollout/compare/noise"
	"sluice/rollout/compare/tally"
)

// Proof is how far a line is.
type Proof string

// The closed set of proofs.
const (
	Proved  Proof = "proved"
	Missing Proof = "missing"
	Failed  Proof = "failed"
)

// State is the whole certificate's.
type State string

// The closed set of states.
const (
	Green   State = "green"
	Red     State = "red"
	Pending State = "pending"
)

// Limits are what is to be proved.
type Limits struct {
	// Mismatch and Validity are the highest rates of comparisons, 0..1, that may
	// differ in their results and in whether the document is valid.
	Mismatch float64 `json:"mismatch"`
	Validity float64 `json:"validity"`
	// Latency is how many times legacy's p99 the shadow's must stay below.
	Latency float64 `json:"latency"`
	// Uncompared is the highest share, 0..1, that may crash the comparer or be
	// skipped. It is a share of what was seen, not an estimate.
	Uncompared float64 `json:"uncompared"`
	// Confidence is that of each line, 0..1.
	Confidence float64 `json:"confidence"`
}

// DefaultLimits returns 1 %, 1 %, twice, 5 %, at 95 % confidence.
func DefaultLimits() Limits {
	return Limits{Mismatch: 0.01, Validity: 0.01, Latency: 2, Uncompared: 0.05, Confidence: 0.95}
}

// Evidence is what a certificate is made of. It belongs to one route or to several;
// rates over several routes can hide one that is seldom used, so make one
// certificate of each too.
type Evidence struct {
	// Compared, Mismatches and Undecided are a noise.Report's.
	Compared   uint64 `json:"compared"`
	Mismatches uint64 `json:"mismatches"`
	Undecided  uint64 `json:"undecided"`
	// Judged counts the pairs that show whether the paths agree on validity, and
	// Disagreed those in which they do not.
	Judged    uint64 `json:"judged"`
	Disagreed uint64 `json:"disagreed"`
	// Uncompared counts the pairs of which nothing can be said.
	Uncompared uint64 `json:"uncompared"`
	// Shadow and Legacy are the p99 of both, from the same documents.
	Shadow Quantile `json:"shadow"`
	Legacy Quantile `json:"legacy"`
	Starts Starts   `json:"starts"`
	Gates  []Gate   `json:"gates,omitempty"`
}

// Add adds a route's A/B counts, and what they mean.
func (e *Evidence) Add(ab *tally.Counts, report noise.Report) {
	e.Compared += report.Compared
	e.Mismatches += report.Mismatches
	e.Undecided += report.Undecided
	e.Judged += ab.Compared + ab.Invalid + ab.Validity
	e.Disagreed += ab.Validity
	e.Uncompared += ab.Uncompared()
}

// Starts are the shadow starts that Temporal acknowledged, and what became of them.
type Starts struct {
	Acknowledged uint64 `json:"acknowledged"`
	Completed    uint64 `json:"completed"`
	// Listed counts those that ended otherwise and are listed with their reason.
	Listed uint64 `json:"listed"`
	// Running counts those younger than a run may take.
	Running uint64 `json:"running"`
	// Lost names some of the others.
	Lost []string `json:"lost,omitempty"`
	// Dropped counts mirrors that were never acknowledged, by reason. They are no
	// loss, and stand here to be seen.
	Dropped map[string]uint64 `json:"dropped,omitempty"`
}

// Answer is what a gate says.
type Answer string

// The closed set of answers. Any other is as good as none.
const (
	Yes Answer = "yes"
	No  Answer = "no"
	// Unknown: it was not asked, or could not be. That is no refusal.
	Unknown Answer = "unknown"
)

// Gate is an external check, such as the user's own tests.
type Gate struct {
	Name   string    `json:"name"`
	Answer Answer    `json:"answer"`
	Words  string    `json:"words,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Line is one thing to prove. Numbers that do not belong to it are 0.
type Line struct {
	Name  string `json:"name"`
	Proof Proof  `json:"proof"`
	Words string `json:"words"`
	// K of N were bad; the rate is between Lower and Upper, each at the confidence,
	// and is to be at most Limit.
	K     uint64  `json:"k,omitempty"`
	N     uint64  `json:"n,omitempty"`
	Lower float64 `json:"lower,omitempty"`
	Upper float64 `json:"upper,omitempty"`
	Limit float64 `json:"limit,omitempty"`
	// Need is the N that proves it with this K, ToGo what is missing of that.
	Need uint64 `json:"need,omitempty"`
	ToGo uint64 `json:"to_go,omitempty"`
}

// Certificate is the record of what was proved, when, and from what.
type Certificate struct {
	At       time.Time `json:"at"`
	State    State     `json:"state"`
	Lines    []Line    `json:"lines"`
	Limits   Limits    `json:"limits"`
	Evidence Evidence  `json:"evidence"`
}

// Make makes the certificate of the evidence.
func Make(evidence Evidence, limits Limits, at time.Time) Certificate {
	c := Certificate{At: at, State: Green, Limits: limits, Evidence: evidence}
	c.Lines = append(c.Lines,
		mismatches(evidence, limits), validity(evidence, limits), latency(evidence, limits),
		starts(evidence.Starts), uncompared(evidence, limits))
	for _, gate := range evidence.Gates {
		c.Lines = append(c.Lines, gate.line())
	}
	for _, line := range c.Lines {
		switch {
		case line.Proof == Failed:
			c.State = Red
		case line.Proof != Proved && c.State == Green:
			c.State = Pending
		}
	}
	return c
}
