package operator

import "time"

// Rollout is the answer to a request for the rollout's status: what this gateway
// goes by. Exposures are in percent.
type Rollout struct {
	// Effective is the lowest of the three ceilings; 0 when killed.
	Effective float64 `json:"effective"`
	Flag      float64 `json:"flag"`
	Plan      float64 `json:"plan"`
	Brake     float64 `json:"brake"`
	Shadow    float64 `json:"shadow"`
	Kill      bool    `json:"kill"`
	Epoch     uint64  `json:"epoch"`
	// Wanted is what the brake was set to last. A release comes into force when no
	// gateway has anything in its way.
	Wanted float64 `json:"brake_wanted"`
	// Actor, Reason and At say who set it, why and when.
	Actor  string    `json:"brake_actor,omitempty"`
	Reason string    `json:"brake_reason,omitempty"`
	At     time.Time `json:"brake_at,omitzero"`
	// Unstored: the brake is in force here, and the store does not have it yet.
	Unstored bool `json:"brake_unstored,omitempty"`
	// Unknown says why the store could not be asked who set the brake.
	Unknown string `json:"brake_unknown,omitempty"`
	// Unclaimed are the requests that this gateway passed to legacy without a claim,
	// within the last hour and since it started, by the reason why no document can be
	// told from them. They never move to Temporal.
	Unclaimed map[string]uint64 `json:"unclaimed_last_hour"`
}
