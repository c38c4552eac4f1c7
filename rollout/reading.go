package rollout

// Reading is what the flag source said at one time.
type Reading struct {
	// Rollout is the flag ceiling.
	Rollout Exposure `json:"rollout"`
	// Shadow is the share of legacy's documents to mirror.
	Shadow Exposure `json:"shadow"`
	// Kill sends everything to legacy.
	Kill bool `json:"kill"`
}

// Policy returns the policy of an epoch in which the reading is the only
// ceiling that bites: the plan has earned everything, the brake is released.
func (r Reading) Policy(epoch uint64) *Policy {
	return &Policy{Epoch: epoch, Flag: r.Rollout, Plan: All, Brake: All, Shadow: r.Shadow, Kill: r.Kill}
}
