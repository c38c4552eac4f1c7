package control

import (
	"fmt"
	"time"

	"sluice/rollout/guard"
)

// patience is how many errors in a row of an external gate hold the plan.
const patience = 4

// gates asks them in order, all but the approval. It returns the proofs, and
// whether all are passed; if not, the decision says what is missing.
func (t *tick) gates(step *Step) (proofs []guard.Proof, passed bool) {
	p := &t.progress
	if p.Dwelt < step.Dwell {
		t.decide(Hold, "the dwell is not over")
		t.decision.Missing = fmt.Sprintf("%s of %s", p.Dwelt.Round(time.Second), step.Dwell)
		return nil, false
	}
	tally := t.tally(step)
	if step.Errors {
		proofs = append(proofs, t.plan.Standard.Errors(&tally))
	}
	if step.Agreement {
		proofs = append(proofs, t.plan.Standard.Agreement(&tally))
	}
	if !t.proved(proofs) {
		return proofs, false
	}
	if breach, crossed := t.evidence.crossed(guard.Hold); crossed { // one that rolls back never comes here
		t.decide(Hold, "%s is breached", breach.Guardrail)
		return proofs, false
	}
	sample := t.plan.Standard.Assignment(&tally)
	proofs = append(proofs, sample)
	return proofs, t.proved([]guard.Proof{sample}) && t.external(step)
}

// tally returns the evidence, if it is the step's.
func (t *tick) tally(step *Step) guard.Tally {
	if e := t.evidence.Tally; e.Epoch >= t.progress.Epoch && e.Exposure == step.Exposure {
		return e
	}
	return guard.Tally{Epoch: t.progress.Epoch, Exposure: step.Exposure}
}

// proved reports whether all proofs are passed.
func (t *tick) proved(proofs []guard.Proof) bool {
	for _, proof := range proofs {
		if !proof.Passed {
			t.decide(Hold, "%s is not proved", proof.Test)
			t.decision.Missing = proof.Missing
			return false
		}
	}
	return true
}

// listen takes in what the step's external gates answered since it began. The
// same answer is taken in once.
func (t *tick) listen() {
	p := &t.progress
	for _, name := range t.step().Gates {
		answer, asked := t.evidence.Gates[name]
		gate := p.Gates[name]
		if !asked || answer.At.Before(p.Since) || !answer.At.After(gate.Last) || answer.At.After(t.now) {
			continue
		}
		gate.Last = answer.At
		if answer.Err != "" {
			gate.Errors++
		} else {
			gate.Errors, gate.Answer = 0, answer
		}
		if p.Gates == nil {
			p.Gates = map[string]Gate{}
		}
		p.Gates[name] = gate
	}
}

// external reports whether the step's external gates are passed. One that could
// not be asked now and then keeps its last answer, for as long as that is good.
func (t *tick) external(step *Step) bool {
	for _, name := range step.Gates {
		gate := t.progress.Gates[name]
		switch {
		case gate.Errors >= patience:
			t.decide(Hold, "gate %s could not be asked %d times in a row", name, gate.Errors)
			t.decision.Missing = "an answer: " + t.evidence.Gates[name].Err
		case gate.Answer.At.IsZero():
			t.decide(Hold, "gate %s has not answered yet", name)
			t.decision.Missing = "its first answer"
		case t.now.Sub(gate.Answer.At) > t.plan.GateAge:
			t.decide(Hold, "gate %s has not answered for %s", name, t.now.Sub(gate.Answer.At).Round(time.Second))
			t.decision.Missing = "a newer answer"
		case !gate.Answer.Passed:
			t.decide(Hold, "gate %s said no", name)
			t.decision.Missing = gate.Answer.Detail
		default:
			continue
		}
		return false
	}
	return true
}
