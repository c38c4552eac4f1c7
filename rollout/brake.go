package rollout

import (
	"errors"
	"time"
)

// Brake is the ceiling that safety permits, and who set it last. Only a human's
// release raises it, and then to All.
type Brake struct {
	Exposure Exposure `json:"exposure"`
	// Actor, Reason and At say who set it, why and when; empty if nobody ever did.
	Actor  string    `json:"actor,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// ErrBrakeLower says that the brake is below the ceiling that was asked for. It
// stays where it is.
var ErrBrakeLower = errors.New("the brake is lower: only its release raises it")

// After returns the brake after an act: a release, which is one to All, or a
// lowering. It fails with ErrBrakeLower.
func (b Brake) After(act Brake) (Brake, error) {
	if act.Exposure > b.Exposure && act.Exposure != All {
		return b, ErrBrakeLower
	}
	return act, nil
}

// ErrBrakeHere says that a lowering is in force on this gateway, and not yet, or
// not durably, on all.
var ErrBrakeHere = errors.New("the brake is in force on this gateway, and not yet everywhere")
