// Package loop decides for all gateways: what they counted goes through the
// guardrails and the control loop, and what comes out is on record before it is in
// force.
//
//	gateways ──counts──▶ store ──Session──▶ Rule (pure) ──Ruling──▶ store ──▶ gateways
//	                       ▲                                           │
//	                       └────────── state, plan, brake, pages ──────┘
//
// Invariants:
//   - Rule is pure: a ruling follows from the state, the counts, the facts and the
//     time, whichever gateway makes it. So a new leader goes on where the last one
//     was, and a restart changes nothing.
//   - Counts are taken in the transaction that stores the state they moved: each
//     counts once.
//   - A brake that an operator set or released since the last ruling is taken in
//     before anything is counted, so evidence that was released does not trip again.
//   - A ruling lowers at once. It raises only what the leader's next offer may raise
//     to; a leader that is cut off from the store rules nothing.
package loop

import (
	"encoding/json"
	"fmt"
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// The subjects of what is kept for people.
const (
	SubjectTicks        = "ticks"
	SubjectCertificates = "certificates"
	SubjectTrips        = "trips"
)

// Config is by what is decided. It is the same for all gateways.
type Config struct {
	Guard guard.Config
	Plan  control.Plan
	// Apart: the brake is kept apart from the state, so it may be older, or gone. Then
	// the state's is set anew.
	Apart bool
}

// Facts are what a decider knows besides what the store counted.
type Facts struct {
	// Owner is the decider.
	Owner string
	// Flag and Kill are the operators' flags.
	Flag rollout.Exposure
	Kill bool
	// Comparisons are those of all gateways' mirrors so far.
	Comparisons Comparisons
	// Gates are the last answers of external gates, by name.
	Gates map[string]control.Answer
	// Builds are the worker versions in use.
	Builds []Build
	// Thresholds are those to judge by from now on; zero if there are none yet.
	Thresholds rollout.Thresholds
	// Documents are the last that failed, for the report of a rollback.
	Documents []Document
}

// Comparisons counts shadows that were compared, and those that disagreed with
// their primary by what is known of noise.
type Comparisons struct {
	// At is when they were counted; zero if they are not known. Of two gateways' the
	// later ones are taken.
	At         time.Time `json:"at,omitzero"`
	Compared   uint64    `json:"compared,omitempty"`
	Mismatched uint64    `json:"mismatched,omitempty"`
}

// Verdict is a ruling and what is in it.
type Verdict struct {
	Ruling   rollout.Ruling
	Decision control.Decision
	State    *State
}

// Rule decides. It fails if the state cannot be read.
func (c *Config) Rule(s rollout.Session, f *Facts) (*Verdict, error) {
	st, err := Parse(s.State)
	if err != nil {
		return nil, err
	}
	return c.ruleOn(st, s, f)
}

// ruleOn is Rule for who has the session's state parsed. It becomes the verdict's.
func (c *Config) ruleOn(st *State, s rollout.Session, f *Facts) (*Verdict, error) {
	now := s.Now.UTC().Truncate(time.Millisecond)
	st.follow(c, s.Brake, s.Policy.Epoch)
	bin := st.bin(&s, f)
	if err := st.Guard.Step(bin, &c.Guard); err != nil {
		return nil, err
	}
	st.tally(bin, &c.Plan)
	evidence := st.evidence(&s, f, c)
	decision, progress := control.Tick(c.Plan, st.Progress, evidence, now)
	if !progress.Since.Equal(st.Progress.Since) {
		st.Tally = guard.Tally{} // another step, or the same anew
	}
	st.Progress, st.Owner, st.At, st.Epoch = progress, f.Owner, now, s.Policy.Epoch
	if f.Thresholds != (rollout.Thresholds{}) {
		st.Thresholds = f.Thresholds
	}
	st.remember(&s.Policy, &decision, bin, c, now)
	v := &Verdict{Decision: decision, State: st}
	if err := v.rule(c, &s, f, bin); err != nil {
		return nil, err
	}
	return v, nil
}

// Crossed reports whether what was counted crosses a limit for which Rule would roll
// back now. known is the session's state, and stays as it is. It is far cheaper.
func (c *Config) Crossed(known *State, s *rollout.Session, f *Facts) (bool, error) {
	st := *known
	st.Guard = known.Guard.Clone()
	st.follow(c, s.Brake, s.Policy.Epoch)
	if st.Progress.Brake.Latched {
		return false, nil
	}
	if err := st.Guard.Step(st.bin(s, f), &c.Guard); err != nil {
		return false, err
	}
	for _, breach := range st.Guard.Breaches(&c.Guard) {
		if breach.Action == guard.Rollback {
			return !st.Guard.Unhealthy(&c.Guard, st.Guard.Second), nil
		}
	}
	return false, nil
}

// rule fills in the ruling.
func (v *Verdict) rule(c *Config, s *rollout.Session, f *Facts, bin guard.Bin) error {
	st, r := v.State, &v.Ruling
	page := func(subject string, content any) error {
		body, err := json.Marshal(content)
		r.Pages = append(r.Pages, rollout.Page{Subject: subject, Body: body})
		return err
	}
	if v.Decision.Action == control.Rollback {
		r.Brake = &rollout.Brake{Exposure: st.Progress.Brake.Ceiling, Actor: "sluice", Reason: v.Decision.Reason, At: v.Decision.At}
		st.Brake = *r.Brake
		if err := page(SubjectTrips, st.trip(c, s, f, &v.Decision)); err != nil {
			return err
		}
	}
	if r.Brake == nil && st.Brake.Exposure < s.Brake.Exposure {
		r.Brake = &st.Brake // it was lost
	}
	if v.Decision.Certificate != nil {
		if err := page(SubjectCertificates, v.Decision.Certificate); err != nil {
			return err
		}
	}
	if tick, news := st.news(&v.Decision, bin); news {
		if err := page(SubjectTicks, tick); err != nil {
			return err
		}
	}
	r.Plan = st.Progress.Ceiling(&c.Plan)
	var err error
	if r.State, err = json.Marshal(st); err != nil {
		return fmt.Errorf("the state of the control loop cannot be written: %w", err)
	}
	return nil
}
