package control

import (
	"fmt"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// longest is what the time between two ticks counts for at most.
const longest = time.Minute

// tick is one decision being made.
type tick struct {
	plan     *Plan
	progress Progress
	evidence *Evidence
	now      time.Time
	decision Decision
}

// Tick decides what to do now. It is called about once a second, and whenever
// something has happened.
func Tick(plan Plan, progress Progress, evidence Evidence, now time.Time) (Decision, Progress) {
	t := tick{plan: &plan, progress: progress.clone(), evidence: &evidence, now: now, decision: Decision{At: now}}
	t.begin()
	t.notice()
	if !t.protect() && !t.stopped() {
		t.clock()
		t.ramp()
	}
	p := &t.progress
	if t.decision.Action != Hold || t.decision.Alarm != "" || len(plan.Steps) == 0 {
		p.Running = t.decision.Action == Advance
	}
	p.Last, p.Seen = now, p.Exposure(&plan, evidence.flag())
	return t.decision, t.progress
}

// begin makes the progress one of the plan. A plan that was edited goes on at its
// highest step that was earned before, from that step's beginning. Its ceiling may be
// in force already, and then no epoch follows: the present one counts.
func (t *tick) begin() {
	p, plan := &t.progress, t.plan
	if len(plan.Steps) == 0 {
		return
	}
	if p.Plan == "" {
		p.enter(plan, 0, t.evidence.Epoch, t.now)
		p.Epoch, p.Ran = t.evidence.Epoch, 0
	} else if p.Plan != plan.ID() {
		earned, step := p.Earned, 0
		for i, s := range plan.Steps {
			if s.Exposure <= earned {
				step = i
			}
		}
		p.enter(plan, step, t.evidence.Epoch, t.now)
		p.Epoch, p.Earned, p.Ran = t.evidence.Epoch, min(p.Earned, earned), 0
	}
	t.decision.Step = t.step().Name
}

func (t *tick) step() *Step { return &t.plan.Steps[t.progress.Step] }

// notice sees that operators lowered the flag below what was in force.
func (t *tick) notice() {
	if flag := t.evidence.flag(); flag < t.progress.Seen && t.progress.Disarmed == nil {
		t.progress.Disarmed = &Act{By: "flag", Reason: fmt.Sprintf("the flag was lowered to %s, below %s", flag, t.progress.Seen), At: t.now}
	}
}

// protect rolls back, if there is reason to. It reports whether it decided.
func (t *tick) protect() bool {
	breach, crossed := t.evidence.crossed(guard.Rollback)
	if !crossed || t.progress.Brake.Latched {
		return false
	}
	t.decision.Breach = &breach
	if t.evidence.Unhealthy {
		t.decide(Hold, "%s is breached, and legacy itself is unhealthy: not rolled back onto it", breach.Guardrail)
		t.decision.Alarm = t.decision.Reason
		t.unapprove()
		return true
	}
	t.decide(Rollback, "%s is breached", breach.Guardrail)
	t.progress.latch(t.plan, breach.Guardrail.String(), t.evidence.Epoch, t.now)
	return true
}

// stopped pauses the plan while anything keeps it from going on. It reports
// whether it decided.
func (t *tick) stopped() bool {
	p := &t.progress
	if len(t.plan.Steps) == 0 {
		switch {
		case p.Brake.Latched:
			t.decide(Pause, "the brake is latched: %s; release it with a reason", p.Brake.Cause)
		case p.lost(t.plan):
			t.decide(Pause, "this gateway has no plan, and there was one: its %s stay the ceiling; configure it, or re-arm for the flag alone to rule", p.Earned)
			t.decision.Alarm = t.decision.Reason
		default:
			t.decide(Hold, "there is no plan: the flag alone rules")
		}
		return true
	}
	step := t.step()
	switch brake, flag := p.Brake.Exposure(), t.evidence.flag(); {
	case p.Brake.Latched:
		t.decide(Pause, "the brake is latched: %s; release it with a reason", p.Brake.Cause)
	case p.Held != nil:
		t.decide(Pause, "held by %s: %s", p.Held.By, p.Held.Reason)
	case t.evidence.Kill:
		t.decide(Pause, "the kill flag is on")
	case flag < step.Exposure:
		t.decide(Pause, "the flag, %s, is below the step, %s", flag, step.Exposure)
	case brake < step.Exposure:
		t.decide(Pause, "the ceiling, %s, is below the step, %s", brake, step.Exposure)
	case p.Earned < step.Exposure:
		t.decide(Pause, "the plan was changed, and its step %s is above the %s that were earned: force it with a reason, or begin lower", step.Name, p.Earned)
	case p.Disarmed != nil:
		t.decide(Pause, "%s lowered the exposure: %s; re-arm the plan to go on", p.Disarmed.By, p.Disarmed.Reason)
	default:
		return false
	}
	t.unapprove()
	return true
}

// clock lets the step's time pass, if it ran at the last tick too.
func (t *tick) clock() {
	p := &t.progress
	if p.Running {
		passed := min(max(0, t.now.Sub(p.Last)), longest)
		p.Dwelt += passed
		p.Ran += passed
	}
	p.Running = true
	t.listen()
}

// ramp advances, or says what is missing.
func (t *tick) ramp() {
	p, step := &t.progress, t.step()
	last := p.Step == len(t.plan.Steps)-1
	switch {
	case t.evidence.Ramping:
		t.decide(Hold, "a worker version is being ramped: one knob at a time")
	case last:
		t.decide(Hold, "the plan is complete")
	case p.Ran < t.plan.InitialDelay:
		t.decide(Hold, "the plan has just begun")
		t.decision.Missing = fmt.Sprintf("%s of %s", p.Ran.Round(time.Second), t.plan.InitialDelay)
	default:
		proofs, passed := t.gates(step)
		if !passed {
			break
		}
		if step.Approval && p.Approval == nil {
			p.Due = true
			t.decide(Hold, "all gates are passed")
			t.decision.Missing = "an approval"
			return
		}
		t.advance(proofs)
		return
	}
	t.unapprove()
}

// advance enters the next step.
func (t *tick) advance(proofs []guard.Proof) {
	p, step := &t.progress, t.step()
	next := t.plan.Steps[p.Step+1]
	c := t.certificate(next.Exposure)
	c.Proofs, c.Approver = proofs, p.Approval
	t.decision.Certificate = &c
	t.decide(Advance, "%s is passed: %s", step.Name, next.Name)
	p.enter(t.plan, p.Step+1, t.evidence.Epoch, t.now)
}

// certificate returns what is known of the step without its proofs.
func (t *tick) certificate(to rollout.Exposure) Certificate {
	p := &t.progress
	c := Certificate{Plan: p.Plan, Step: t.step().Name, From: p.Earned, To: to, At: t.now, Since: p.Since, Dwelt: p.Dwelt, Epoch: p.Epoch}
	for name, gate := range p.Gates {
		if c.Gates == nil {
			c.Gates = map[string]Answer{}
		}
		c.Gates[name] = gate.Answer
	}
	return c
}

// unapprove forgets an approval whose grounds are gone.
func (t *tick) unapprove() { t.progress.Due, t.progress.Approval = false, nil }

func (t *tick) decide(action Action, format string, args ...any) {
	t.decision.Action, t.decision.Reason = action, fmt.Sprintf(format, args...)
}
