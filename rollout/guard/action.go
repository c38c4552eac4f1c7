package guard

import "fmt"

// Action is what a breach leads to.
type Action uint8

// The closed set of actions. The zero value is none of them, so that a missing
// action is noticed.
const (
	// Rollback sets the brake to its floor.
	Rollback Action = iota + 1
	// Hold keeps the plan from advancing.
	Hold
	// Warn is seen on dashboards, and nothing else.
	Warn
)

var actions = [...]string{"", "rollback", "hold", "warn"}

// String returns the word used in configuration, metrics and logs.
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
	return fmt.Errorf("%q is no action of a guardrail: use rollback, hold or warn", text)
}
