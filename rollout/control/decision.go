package control

import (
	"fmt"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// Action is what a tick decides.
type Action uint8

// The closed set of actions.
const (
	// Hold: the step goes on.
	Hold Action = iota
	// Advance: the next step is in force.
	Advance
	// Pause: the step's clock stands still.
	Pause
	// Rollback: the brake is at its floor.
	Rollback
)

var actions = [...]string{"hold", "advance", "pause", "rollback"}

// Actions lists them all.
func Actions() []Action { return []Action{Hold, Advance, Pause, Rollback} }

// String returns the word used in the journal, metrics and logs.
func (a Action) String() string { return actions[a] }

// MarshalText writes the word.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the word.
func (a *Action) UnmarshalText(text []byte) error {
	for i, action := range actions {
		if action == string(text) {
			*a = Action(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no action of the control loop: use one of %v", text, actions)
}

// Decision is what one tick decided, and why.
type Decision struct {
	At     time.Time `json:"at"`
	Action Action    `json:"action"`
	// Step is the name of the step that was in force before the decision; "" if
	// there is no plan.
	Step   string `json:"step,omitempty"`
	Reason string `json:"reason"`
	// Missing is what the plan waits for, in words.
	Missing string `json:"missing,omitempty"`
	// Alarm wants a human's attention, now.
	Alarm string `json:"alarm,omitempty"`
	// Breach is what was rolled back for.
	Breach *guard.Breach `json:"breach,omitempty"`
	// Certificate is the proof of an advance. It must be stored with it.
	Certificate *Certificate `json:"certificate,omitempty"`
}

// Certificate is the proof on which a step was passed, or by whom it was forced.
type Certificate struct {
	// Plan is the plan's ID.
	Plan string `json:"plan"`
	// Step was left, for one with the exposure To.
	Step string           `json:"step"`
	From rollout.Exposure `json:"from"`
	To   rollout.Exposure `json:"to"`
	At   time.Time        `json:"at"`
	// Since is when the step began, Dwelt how long it was watched.
	Since time.Time     `json:"since"`
	Dwelt time.Duration `json:"dwelt"`
	// Epoch is the first whose documents counted.
	Epoch uint64 `json:"epoch"`
	// Proofs have the numbers and the bounds.
	Proofs []guard.Proof `json:"proofs,omitempty"`
	// Gates are the last answers of the external gates.
	Gates map[string]Answer `json:"gates,omitempty"`
	// Approver approved, if the step asked for it.
	Approver *Act `json:"approver,omitempty"`
	// Forced is who passed the step without proof.
	Forced *Act `json:"forced,omitempty"`
}
