package steering

import (
	"time"

	"sluice/rollout/guard"
)

// TripsView is the answer to GET /api/trips.
type TripsView struct {
	Trips []Trip `json:"trips"`
}

// Trip is the report of one automatic rollback. Exposures are in percent.
type Trip struct {
	At        time.Time `json:"at"`
	Guardrail string    `json:"guardrail"`
	Cause     string    `json:"cause"`
	From      float64   `json:"from"`
	To        float64   `json:"to"`
	Step      string    `json:"step"`
	Epoch     uint64    `json:"epoch"`
	// History is what was in force before, Evidence how the tests moved; oldest
	// first.
	History  []Exposed `json:"exposure_history"`
	Evidence []Moment  `json:"evidence"`
	Counters Counters  `json:"counters"`
	// Documents are the last that failed.
	Documents []Failed      `json:"documents"`
	Builds    []Build       `json:"builds"`
	Meters    []guard.Meter `json:"meters"`
}

// Exposed is an exposure that came into force.
type Exposed struct {
	At       time.Time `json:"at"`
	Epoch    uint64    `json:"epoch"`
	Exposure float64   `json:"exposure"`
	Why      string    `json:"why"`
}

// Moment is the evidence at one time: shares of the way to each limit, 0..1.
type Moment struct {
	At         time.Time          `json:"at"`
	Guardrails map[string]float64 `json:"guardrails"`
	Legacy     Tried              `json:"legacy"`
	Temporal   Tried              `json:"temporal"`
}

// Tried are documents with an outcome, of which some were bad.
type Tried struct {
	Settled uint64 `json:"settled"`
	Bad     uint64 `json:"bad"`
}

// Counters are what both arms came to.
type Counters struct {
	Legacy   ArmView      `json:"legacy"`
	Temporal TemporalView `json:"temporal"`
}

// TemporalView are Temporal's counters.
type TemporalView struct {
	ArmView
	// Judged documents were held against the thresholds, of which Slow were slower
	// (p50, p90, p99).
	Judged      uint64   `json:"judged"`
	Slow        []uint64 `json:"slow"`
	DeadLetters uint64   `json:"dead_letters"`
}

// Failed is a document that failed.
type Failed struct {
	DocID   string    `json:"doc_id"`
	Path    string    `json:"path"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
}

// Build is a worker deployment, and what it ran.
type Build struct {
	Deployment string `json:"deployment"`
	Current    string `json:"current"`
	Ramping    string `json:"ramping"`
	// RampPercent of the workflows go to Ramping.
	RampPercent float64 `json:"ramp_percent"`
}
