package control

import (
	"errors"
	"fmt"

	"sluice/rollout"
)

// What an operator's act is refused for.
var (
	// ErrNoReason says that the act needs a name and a reason.
	ErrNoReason = errors.New("say who you are and why: the act goes on record")
	// ErrLatched says that a rollback set the brake.
	ErrLatched = errors.New("a rollback latched the brake: release it first, with a reason")
	// ErrNotDue says that the step does not wait for an approval.
	ErrNotDue = errors.New("no approval is due: the step's other gates come first")
	// ErrNoStep says that the plan has no such step.
	ErrNoStep = errors.New("the plan has no such step: see its list of steps")
)

func (a Act) signed() error {
	if a.By == "" || a.Reason == "" {
		return ErrNoReason
	}
	return nil
}

// RollBack drops the brake to its floor and latches it. It is never refused.
func RollBack(plan Plan, p Progress, epoch uint64, act Act) Progress {
	p = p.clone()
	p.latch(&plan, fmt.Sprintf("%s: %s", act.By, act.Reason), epoch, act.At)
	p.Disarmed = &act
	return p
}

// Limit sets the brake to a ceiling. Lowering is never refused; raising needs a
// name and a reason, and fails with ErrLatched after a rollback.
func Limit(p Progress, ceiling rollout.Exposure, act Act) (Progress, error) {
	if ceiling > p.Brake.Exposure() {
		if p.Brake.Latched {
			return p, ErrLatched
		}
		if err := act.signed(); err != nil {
			return p, err
		}
	}
	p = p.clone()
	if ceiling < min(p.Earned, p.Brake.Exposure()) {
		p.Disarmed = &act
	}
	p.Brake.Set, p.Brake.Ceiling, p.Brake.At = true, ceiling, act.At
	if !p.Brake.Latched {
		p.Brake.Cause = fmt.Sprintf("%s: %s", act.By, act.Reason)
	}
	return p, nil
}

// Release lifts the brake. The evidence of harm must be reset with it, or the next
// tick rolls back again. It fails with ErrNoReason.
func Release(p Progress, act Act) (Progress, error) {
	if err := act.signed(); err != nil {
		return p, err
	}
	p = p.clone()
	p.Brake = Brake{}
	return p, nil
}

// Stop holds the plan. It is never refused.
func Stop(p Progress, act Act) Progress {
	p = p.clone()
	p.Held = &act
	return p
}

// Resume lets a plan that was stopped go on. It fails with ErrNoReason.
func Resume(p Progress, act Act) (Progress, error) {
	if err := act.signed(); err != nil {
		return p, err
	}
	p = p.clone()
	p.Held = nil
	return p, nil
}

// Rearm lets the plan rise again after a human lowered the exposure; where the
// configuration has no plan any more, the flag alone rules then. It fails with
// ErrNoReason.
func Rearm(plan Plan, p Progress, act Act) (Progress, error) {
	if err := act.signed(); err != nil {
		return p, err
	}
	p = p.clone()
	p.Disarmed = nil
	if p.lost(&plan) {
		p.Plan = ""
	}
	return p, nil
}

// Approve approves leaving the step of that name. It fails with ErrNotDue unless
// the last tick found all else in order, and with ErrNoReason.
func Approve(plan Plan, p Progress, step string, act Act) (Progress, error) {
	if err := act.signed(); err != nil {
		return p, err
	}
	if !p.Due || p.Plan != plan.ID() || plan.find(step) != p.Step {
		return p, ErrNotDue
	}
	p = p.clone()
	p.Approval = &act
	return p, nil
}

// Force enters a step without proof. The certificate, which says so, must be
// stored. It fails with ErrNoReason, ErrLatched or ErrNoStep.
func Force(plan Plan, p Progress, step string, epoch uint64, act Act) (Progress, Certificate, error) {
	to := plan.find(step)
	switch err := act.signed(); {
	case err != nil:
		return p, Certificate{}, err
	case p.Brake.Latched:
		return p, Certificate{}, ErrLatched
	case to < 0:
		return p, Certificate{}, fmt.Errorf("%q: %w", step, ErrNoStep)
	}
	p = p.clone()
	c := Certificate{
		Plan: plan.ID(), From: p.Ceiling(&plan), To: plan.Steps[to].Exposure, Step: step,
		At: act.At, Since: p.Since, Dwelt: p.Dwelt, Epoch: p.Epoch, Forced: &act,
	}
	if c.To < c.From {
		p.Disarmed = &act
	}
	p.enter(&plan, to, epoch, act.At)
	if c.To == c.From {
		p.Epoch = epoch // none follows
	}
	return p, c, nil
}
