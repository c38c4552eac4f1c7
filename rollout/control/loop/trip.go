package loop

import (
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// Trip is the report of an automatic rollback.
type Trip struct {
	At        time.Time `json:"at"`
	Guardrail string    `json:"guardrail"`
	Cause     string    `json:"cause"`
	// From and To are exposures in percent.
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Step string  `json:"step,omitempty"`
	// Epoch was in force.
	Epoch uint64 `json:"epoch"`
	// History is the policy's, Evidence the evidence over time, the newest
	// last.
	History  []Exposed `json:"exposure_history"`
	Evidence []Point   `json:"evidence"`
	// Counters are those of the exposure that was in force.
	Counters Counters `json:"counters"`
	// Documents are the last that failed.
	Documents []Document    `json:"documents,omitempty"`
	Builds    []Build       `json:"builds,omitempty"`
	Meters    []guard.Meter `json:"meters"`
	By        string        `json:"by"`
}

// Document is one that failed.
type Document struct {
	DocID   string    `json:"doc_id"`
	Path    string    `json:"path"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason,omitempty"`
}

// Counters are what became of both arms' documents since the exposure in force came
// into force, or since the brake was released.
type Counters struct {
	Legacy     Arm    `json:"legacy"`
	Temporal   Arm    `json:"temporal"`
	Compared   uint64 `json:"compared"`
	Mismatched uint64 `json:"mismatched"`
}

func countersOf(s *guard.Segment) Counters {
	return Counters{Legacy: armOf(&s.Legacy), Temporal: armOf(&s.Temporal), Compared: s.Compared, Mismatched: s.Mismatched}
}

// Arm is a guard.Arm in words.
type Arm struct {
	Assigned    uint64    `json:"assigned"`
	Good        uint64    `json:"good"`
	Bad         uint64    `json:"bad"`
	Invalid     uint64    `json:"invalid"`
	Judged      uint64    `json:"judged,omitempty"`
	Slow        [3]uint64 `json:"slow,omitzero"`
	DeadLetters uint64    `json:"dead_letters,omitempty"`
}

func armOf(a *guard.Arm) Arm {
	return Arm{Assigned: a.Assigned, Good: a.Good, Bad: a.Bad, Invalid: a.Invalid, Judged: a.Judged, Slow: a.Slow, DeadLetters: a.DeadLetters}
}

// trip writes the report.
func (st *State) trip(c *Config, s *rollout.Session, f *Facts, d *control.Decision) *Trip {
	t := &Trip{
		At: d.At, Cause: d.Reason, Step: d.Step, Epoch: s.Policy.Epoch, By: f.Owner,
		From: s.Policy.Exposure().Percent(), To: min(s.Policy.Exposure(), st.Progress.Brake.Ceiling).Percent(),
		History: st.Exposures, Evidence: st.Course, Documents: f.Documents, Builds: f.Builds, Counters: countersOf(&st.Sum),
		Meters: st.Guard.Meters(&c.Guard, s.Policy.Exposure(), st.Guard.Second),
	}
	if d.Breach != nil {
		t.Guardrail = d.Breach.Guardrail.String()
	}
	return t
}
