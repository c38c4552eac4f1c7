package operator

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"sluice/rollout"
)

// The closed set of an operator's acts on the plan. Each is on record as "plan-" and
// its word, and with "-failed" after that if it was refused or failed.
const (
	PlanHold    = "hold"
	PlanResume  = "resume"
	PlanRearm   = "rearm"
	PlanApprove = "approve"
	PlanForce   = "force"
)

// PlanActs lists them.
func PlanActs() []string { return []string{PlanHold, PlanResume, PlanRearm, PlanApprove, PlanForce} }

// PlanAct is what an operator does to the plan.
type PlanAct struct {
	// Action is one of PlanActs.
	Action string
	// Step is the name of the step that is approved or forced; the others have none.
	Step          string
	Actor, Reason string
	At            time.Time
}

// PlanChange is the body of an act on the plan.
type PlanChange struct {
	// Step is for an approval and for a forced step.
	Step *string `json:"step,omitempty"`
	// Reason is for the record.
	Reason string `json:"reason"`
}

// steer returns what answers one of PlanActs.
func (a *api) steer(action string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var c PlanChange
		if !readBody(w, r, "an act on the plan", &c) {
			return
		}
		if err := c.check(action == PlanApprove || action == PlanForce); err != nil {
			refuse(w, err)
			return
		}
		act := PlanAct{Action: action, Actor: actor(r), Reason: c.Reason, At: now()}
		subject := map[string]string{}
		if c.Step != nil {
			act.Step, subject["step"] = *c.Step, *c.Step
		}
		a.onRecord(w, r, rollout.Act{Actor: act.Actor, Action: "plan-" + action, Reason: act.Reason, Subject: subject},
			func(ctx context.Context) error { return a.Plan.Steer(ctx, act) })
	}
}

// check says what is wrong with the body.
func (c *PlanChange) check(stepped bool) error {
	switch {
	case !stepped && c.Step != nil:
		return errors.New("this act has no step")
	case stepped && (c.Step == nil || *c.Step == ""):
		return errors.New("step is missing: the name of a step of the plan")
	case stepped && (len(*c.Step) > maxReason || strings.ContainsRune(*c.Step, 0)):
		return errors.New("step is not the name of a step")
	}
	return checkReason(c.Reason)
}
