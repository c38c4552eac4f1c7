package control

import (
	"maps"
	"time"

	"sluice/rollout"
)

// Act is what a human did.
type Act struct {
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Brake is the ceiling that safety permits. Its zero value is released.
type Brake struct {
	// Set: the brake lowers to Ceiling.
	Set     bool             `json:"set,omitempty"`
	Ceiling rollout.Exposure `json:"ceiling,omitempty"`
	// Latched: a rollback set it; only a release raises it.
	Latched bool      `json:"latched,omitempty"`
	Cause   string    `json:"cause,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Exposure returns what the brake permits.
func (b Brake) Exposure() rollout.Exposure {
	if !b.Set {
		return rollout.All
	}
	return b.Ceiling
}

// Gate is what is remembered of an external gate during one step.
type Gate struct {
	// Last is the newest result that was taken in.
	Last time.Time `json:"last"`
	// Errors in a row.
	Errors int `json:"errors,omitempty"`
	// Answer is the last that was one; its zero value if there is none.
	Answer Answer `json:"answer,omitzero"`
}

// Progress is how far a plan is, and the state of the brake. Its zero value is a
// plan that has not begun and a released brake. Values are not shared: each
// function returns a progress of its own.
type Progress struct {
	// Plan is the ID of the plan that the step belongs to; "" if none has begun.
	Plan string `json:"plan,omitempty"`
	// Step is an index, Earned the ceiling that comes with it.
	Step   int              `json:"step"`
	Earned rollout.Exposure `json:"earned"`
	// Epoch is the first whose documents count for the step.
	Epoch uint64 `json:"epoch,omitempty"`
	// Since is when the step began. Dwelt is how long it was watched since, and
	// Ran is that of the plan since it began, or began again.
	Since time.Time     `json:"since,omitzero"`
	Dwelt time.Duration `json:"dwelt,omitempty"`
	Ran   time.Duration `json:"ran,omitempty"`
	// Last is the time of the last tick, Running whether the clock ran then, and
	// Seen the exposure that was in force after it.
	Last    time.Time        `json:"last,omitzero"`
	Running bool             `json:"running,omitempty"`
	Seen    rollout.Exposure `json:"seen,omitempty"`
	// Held stops the plan; Disarmed keeps it from rising.
	Held     *Act `json:"held,omitempty"`
	Disarmed *Act `json:"disarmed,omitempty"`
	// Due: all but the approval is there.
	Due      bool `json:"due,omitempty"`
	Approval *Act `json:"approval,omitempty"`
	// Gates are the external ones of the step, by name.
	Gates map[string]Gate `json:"gates,omitempty"`
	Brake Brake           `json:"brake,omitzero"`
}

// Ceiling returns what the evidence has earned: All if there never was a plan, and the
// first step of one that has not begun. A plan that is not in the configuration any
// more, perhaps of one gateway by mistake, keeps what it had earned.
func (p *Progress) Ceiling(plan *Plan) rollout.Exposure {
	switch {
	case p.lost(plan):
		return p.Earned
	case len(plan.Steps) == 0:
		return rollout.All
	case p.Plan == "":
		return plan.Steps[0].Exposure
	}
	return p.Earned
}

// Exposure returns the lowest ceiling.
func (p *Progress) Exposure(plan *Plan, flag rollout.Exposure) rollout.Exposure {
	return min(flag, p.Ceiling(plan), p.Brake.Exposure())
}

// lost reports whether there was a plan, and is none.
func (p *Progress) lost(plan *Plan) bool { return len(plan.Steps) == 0 && p.Plan != "" }

func (p Progress) clone() Progress {
	p.Gates = maps.Clone(p.Gates)
	return p
}

// enter begins a step. What was assigned up to the epoch proves nothing for it.
func (p *Progress) enter(plan *Plan, step int, epoch uint64, now time.Time) {
	p.Plan, p.Step, p.Earned = plan.ID(), step, plan.Steps[step].Exposure
	p.Epoch, p.Since, p.Dwelt, p.Running = epoch+1, now, 0, false
	p.Due, p.Approval, p.Gates = false, nil, nil
}

// latch drops the brake to its floor and voids the earned steps. It lowers
// only: a plan that had not served documents yet stays where it was.
func (p *Progress) latch(plan *Plan, cause string, epoch uint64, now time.Time) {
	p.Brake = Brake{Set: true, Ceiling: min(p.Brake.Exposure(), plan.Floor), Latched: true, Cause: cause, At: now}
	switch {
	case p.lost(plan):
		p.Earned, p.Running = rollout.None, false
		return
	case p.Plan == "":
		p.Running = false
		return
	}
	earned := p.Earned
	p.enter(plan, min(p.Step, plan.serving(), len(plan.Steps)-1), epoch, now)
	p.Earned, p.Ran = min(p.Earned, earned), 0
}
