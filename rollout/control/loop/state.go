package loop

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// State is all that a decider goes on from. It is stored as JSON.
type State struct {
	Guard    guard.State      `json:"guard"`
	Progress control.Progress `json:"progress"`
	// Tally is the evidence for leaving the step.
	Tally guard.Tally `json:"tally"`
	// Brake is the one that was seen, or set, last.
	Brake rollout.Brake `json:"brake"`
	// Comparisons are those that were taken in so far.
	Comparisons Comparisons `json:"comparisons"`
	// Harms were confirmed by a human since the last decision.
	Harms []rollout.Count `json:"harms,omitempty"`
	// Thresholds are those in force; zero if there are none.
	Thresholds rollout.Thresholds `json:"thresholds"`
	// Decision is the last one, Owner who made it, At when.
	Decision control.Decision `json:"decision"`
	Owner    string           `json:"owner,omitempty"`
	At       time.Time        `json:"at,omitzero"`
	// Epoch is that of the policy that was in force.
	Epoch uint64 `json:"epoch"`
	// Noted is when the last tick was put on record.
	Noted time.Time `json:"noted,omitzero"`
	// Sum is what was counted under the exposure in force.
	Sum guard.Segment `json:"sum"`
	// Exposures and Course are what happened lately, the newest last.
	Exposures []Exposed `json:"exposures,omitempty"`
	Course    []Point   `json:"course,omitempty"`
	// Builds are the worker versions that were in use last.
	Builds []Build `json:"builds,omitempty"`
}

// Build is a worker deployment's versions.
type Build struct {
	Deployment string `json:"deployment"`
	Current    string `json:"current,omitempty"`
	// Ramping gets RampPercent of the new runs.
	Ramping     string  `json:"ramping,omitempty"`
	RampPercent float64 `json:"ramp_percent,omitempty"`
}

// Parse reads a state; of nothing it makes the first.
func Parse(text []byte) (*State, error) {
	if len(text) == 0 {
		return &State{Brake: rollout.Brake{Exposure: rollout.All}}, nil
	}
	st := &State{}
	if err := json.Unmarshal(text, st); err != nil {
		return nil, fmt.Errorf("the state of the control loop cannot be read: %w", err)
	}
	return st, nil
}

// clone returns a copy to go on from; what the state points to is never changed.
func (st *State) clone() *State {
	c := *st
	c.Guard = st.Guard.Clone()
	c.Harms, c.Exposures, c.Course = slices.Clone(st.Harms), slices.Clone(st.Exposures), slices.Clone(st.Course)
	return &c
}

// follow takes in what operators did to the brake. A release forgets the evidence
// of harm.
func (st *State) follow(c *Config, brake rollout.Brake, epoch uint64) {
	seen, plan := st.Brake, &c.Plan
	if brake.Exposure == seen.Exposure && brake.Actor == seen.Actor && brake.Reason == seen.Reason && brake.At.Equal(seen.At) {
		return
	}
	if c.Apart && brake.Exposure > seen.Exposure && !brake.At.After(seen.At) {
		return // no act of anybody's: what was set later is lost
	}
	st.Brake = brake
	act := control.Act{By: brake.Actor, Reason: brake.Reason, At: brake.At}
	switch p := &st.Progress; {
	case brake.Exposure == rollout.All:
		p.Brake = control.Brake{}
		st.Guard.Reset(epoch)
		st.Sum = guard.Segment{}
	case brake.Exposure <= plan.Floor:
		*p = control.RollBack(*plan, *p, epoch, act)
	default:
		if lower, err := control.Limit(*p, brake.Exposure, act); err == nil {
			*p = lower
		}
	}
}

// bin is what is stepped over: what the store counted, with what mirrors compared
// and humans confirmed, in a second that is later than the last.
func (st *State) bin(s *rollout.Session, f *Facts) guard.Bin {
	bin := guard.Bin{Second: max(s.Now.Unix(), st.Guard.Second+1)}
	bin.Take(s.Counts)
	bin.Take(st.Harms)
	st.Harms = nil
	if before, now := st.Comparisons, f.Comparisons; now.At.After(before.At) {
		st.Comparisons = now
		compared, mismatched := more(before.Compared, now.Compared), more(before.Mismatched, now.Mismatched)
		at := bin.At(s.Policy.Epoch, s.Policy.Exposure())
		at.Compared += max(compared, mismatched)
		at.Mismatched += mismatched
	}
	return bin
}

// more returns how many there are more than before. Fewer are a new beginning, or
// mismatches that turned out to be noise: what was once taken in is not taken back.
func more(before, now uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// tally adds the bin to the step's evidence.
func (st *State) tally(bin guard.Bin, plan *control.Plan) {
	p := &st.Progress
	if len(plan.Steps) == 0 || p.Plan == "" {
		return
	}
	if st.Tally.Epoch != p.Epoch || st.Tally.Exposure != p.Earned {
		st.Tally = guard.Tally{Epoch: p.Epoch, Exposure: p.Earned}
	}
	_ = st.Tally.Add(bin) // the guardrails have refused what is past
}

// evidence is what the control loop is told.
func (st *State) evidence(s *rollout.Session, f *Facts, c *Config) control.Evidence {
	st.Builds = f.Builds
	e := control.Evidence{
		Flag: f.Flag, Kill: f.Kill, Epoch: s.Policy.Epoch,
		Breaches: st.Guard.Breaches(&c.Guard), Unhealthy: st.Guard.Unhealthy(&c.Guard, st.Guard.Second),
		Tally: st.Tally, Gates: f.Gates,
	}
	for _, b := range f.Builds {
		e.Ramping = e.Ramping || b.Ramping != ""
	}
	return e
}
