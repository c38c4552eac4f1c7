package steering

import (
	"time"

	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// PlanView is the answer to GET /api/plan. Exposures are in percent, durations in
// nanoseconds.
type PlanView struct {
	// Leader is the gateway that decides; "" if none does.
	Leader string    `json:"leader"`
	At     time.Time `json:"at"`
	// Exposure is the lowest of the three ceilings, or 0 when killed.
	Exposure float64 `json:"exposure"`
	Flag     float64 `json:"flag"`
	Plan     float64 `json:"plan"`
	Brake    float64 `json:"brake"`
	Kill     bool    `json:"kill"`
	// Steps are the plan's, Step the name of the one in force, since when, and for
	// how much of that it was watched.
	Steps []StepView    `json:"steps"`
	Step  string        `json:"step"`
	Since time.Time     `json:"since"`
	Dwelt time.Duration `json:"dwelt"`
	// Held, Disarmed and Approval are what operators did; Due: an approval is.
	Held     *control.Act     `json:"held"`
	Disarmed *control.Act     `json:"disarmed"`
	Due      bool             `json:"due"`
	Approval *control.Act     `json:"approval"`
	Decision control.Decision `json:"decision"`
	// Unhealthy: legacy itself is.
	Unhealthy bool          `json:"unhealthy"`
	Meters    []guard.Meter `json:"meters"`
	// Thresholds are above which latencies a document of Temporal is slow, by
	// quantile (p50, p90, p99); nil while too few are known of legacy.
	Thresholds []time.Duration `json:"thresholds"`
	// Tally is the evidence of the step.
	Tally    TallyView      `json:"tally"`
	Breaches []guard.Breach `json:"breaches"`
}

// StepView is one step of the plan.
type StepView struct {
	Name      string        `json:"name"`
	Exposure  float64       `json:"exposure"`
	Dwell     time.Duration `json:"dwell"`
	Errors    bool          `json:"errors"`
	Agreement bool          `json:"agreement"`
	Gates     []string      `json:"gates"`
	Approval  bool          `json:"approval"`
}

// TallyView is what was counted since a step began.
type TallyView struct {
	Legacy     ArmView `json:"legacy"`
	Temporal   ArmView `json:"temporal"`
	Compared   uint64  `json:"compared"`
	Mismatched uint64  `json:"mismatched"`
}

// ArmView counts the documents that the hash gave to one path.
type ArmView struct {
	Assigned uint64 `json:"assigned"`
	Good     uint64 `json:"good"`
	Bad      uint64 `json:"bad"`
	Invalid  uint64 `json:"invalid"`
}

// TicksView is the answer to GET /api/ticks.
type TicksView struct {
	Ticks []TickView `json:"ticks"`
}

// TickView is one decision of the control loop.
type TickView struct {
	At      time.Time      `json:"at"`
	Action  control.Action `json:"action"`
	Step    string         `json:"step"`
	Reason  string         `json:"reason"`
	Missing string         `json:"missing"`
	Alarm   string         `json:"alarm"`
	Counts  uint64         `json:"counts"`
}

// CertificatesView is the answer to GET /api/certificates.
type CertificatesView struct {
	Certificates []control.Certificate `json:"certificates"`
}
