package loop

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// Action is what an operator does to the plan.
type Action string

// The closed set of an operator's actions.
const (
	ActionHold    Action = "hold"
	ActionResume  Action = "resume"
	ActionRearm   Action = "rearm"
	ActionApprove Action = "approve"
	ActionForce   Action = "force"
)

// ErrNoPlan says that there is no plan to act on.
var ErrNoPlan = errors.New("there is no plan: the flag alone rules; set plan.steps in the configuration")

// ErrNoAction says that there is no such action.
var ErrNoAction = errors.New("no action on a plan")

// Steer makes an operator's act a ruling. Step is for approve and force. It fails
// with control's errors, ErrNoPlan or ErrNoAction, and then nothing is to change.
func (c *Config) Steer(s rollout.Session, action Action, step string, act control.Act) (rollout.Ruling, error) {
	st, err := Parse(s.State)
	switch {
	case err != nil:
		return rollout.Ruling{}, err
	case len(c.Plan.Steps) == 0 && (action != ActionRearm || st.Progress.Plan == ""):
		return rollout.Ruling{}, ErrNoPlan
	}
	st.follow(c, s.Brake, s.Policy.Epoch)
	var pages []rollout.Page
	p := &st.Progress
	switch action {
	case ActionHold:
		*p = control.Stop(*p, act)
	case ActionResume:
		*p, err = control.Resume(*p, act)
	case ActionRearm:
		*p, err = control.Rearm(c.Plan, *p, act)
	case ActionApprove:
		*p, err = control.Approve(c.Plan, *p, step, act)
	case ActionForce:
		var certificate control.Certificate
		if *p, certificate, err = control.Force(c.Plan, *p, step, s.Policy.Epoch, act); err == nil {
			st.Tally = guard.Tally{}
			var body []byte
			body, err = json.Marshal(certificate)
			pages = append(pages, rollout.Page{Subject: SubjectCertificates, Body: body})
		}
	default:
		err = fmt.Errorf("%q: %w", action, ErrNoAction)
	}
	if err != nil {
		return rollout.Ruling{}, err
	}
	return c.ruled(st, pages)
}

// Confirm takes in that a human has found a document to be harmed. The next
// decision counts it.
func (c *Config) Confirm(s rollout.Session, event rollout.Event) (rollout.Ruling, error) {
	st, err := Parse(s.State)
	if err != nil {
		return rollout.Ruling{}, err
	}
	st.follow(c, s.Brake, s.Policy.Epoch)
	st.Harms = append(st.Harms, rollout.Count{
		Epoch: s.Policy.Epoch, Exposure: s.Policy.Exposure(), Arm: rollout.Temporal, Event: event, Times: 1,
	})
	return c.ruled(st, nil)
}

func (c *Config) ruled(st *State, pages []rollout.Page) (rollout.Ruling, error) {
	text, err := json.Marshal(st)
	return rollout.Ruling{State: text, Plan: st.Progress.Ceiling(&c.Plan), Pages: pages}, err
}

// Refused reports whether the error is a refusal of an operator's act, which says
// what to do.
func Refused(err error) bool {
	for _, refusal := range []error{ErrNoPlan, ErrNoAction, control.ErrNoReason, control.ErrLatched, control.ErrNotDue, control.ErrNoStep} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// Signed returns an act as it is put on record.
func Signed(by, reason string, at time.Time) control.Act {
	return control.Act{By: by, Reason: reason, At: at.UTC().Truncate(time.Millisecond)}
}
