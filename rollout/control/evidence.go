package control

import (
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// Evidence is all that a tick is told.
type Evidence struct {
	// Flag is the ceiling that operators allow.
	Flag rollout.Exposure `json:"flag"`
	// Kill sends everything to legacy.
	Kill bool `json:"kill,omitempty"`
	// Epoch is that of the policy in force.
	Epoch uint64 `json:"epoch"`
	// Breaches are the guardrails' limits that are crossed.
	Breaches []guard.Breach `json:"breaches,omitempty"`
	// Unhealthy: legacy itself is proved unhealthy.
	Unhealthy bool `json:"unhealthy,omitempty"`
	// Tally is what the step has proved so far. One of another step counts as
	// none.
	Tally guard.Tally `json:"tally"`
	// Gates are the last results of external gates, by name.
	Gates map[string]Answer `json:"gates,omitempty"`
	// Ramping: a worker version is being ramped up.
	Ramping bool `json:"ramping,omitempty"`
}

// Answer is the result of asking an external gate once.
type Answer struct {
	// At is when it was asked.
	At time.Time `json:"at"`
	// Passed is what it answered, if it did.
	Passed bool `json:"passed,omitempty"`
	// Err is why it could not be asked, or "". It is no answer.
	Err string `json:"err,omitempty"`
	// Detail is what it said, for people.
	Detail string `json:"detail,omitempty"`
}

// flag returns what operators allow now.
func (e *Evidence) flag() rollout.Exposure {
	if e.Kill {
		return rollout.None
	}
	return e.Flag
}

// crossed returns the first breach that leads to the action.
func (e *Evidence) crossed(action guard.Action) (guard.Breach, bool) {
	for _, b := range e.Breaches {
		if b.Action == action {
			return b, true
		}
	}
	return guard.Breach{}, false
}
