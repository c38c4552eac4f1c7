package control

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// Step is one ceiling of a plan, and what it takes to leave it for the next.
type Step struct {
	Name     string           `json:"name"`
	Exposure rollout.Exposure `json:"exposure"`
	// Dwell is the least time that the step must be in force.
	Dwell time.Duration `json:"dwell"`
	// Errors and Agreement say which proofs are needed.
	Errors    bool `json:"errors,omitempty"`
	Agreement bool `json:"agreement,omitempty"`
	// Gates are the names of external gates.
	Gates []string `json:"gates,omitempty"`
	// Approval: a human approves, after all else.
	Approval bool `json:"approval,omitempty"`
}

// Plan is an ordered ramp. Without steps it sets no ceiling; the brake works all
// the same.
type Plan struct {
	Steps []Step `json:"steps,omitempty"`
	// Floor is what the brake drops to.
	Floor rollout.Exposure `json:"floor,omitempty"`
	// InitialDelay is how long a plan that begins, or begins again, runs before it
	// advances. It never delays a rollback.
	InitialDelay time.Duration `json:"initial_delay,omitempty"`
	// GateAge is how long an external gate's answer is good for.
	GateAge time.Duration `json:"gate_age,omitempty"`
	// Standard is what is to be proved.
	Standard guard.Standard `json:"standard"`
}

// DefaultPlan is the recommended ramp.
func DefaultPlan() Plan {
	plan := Plan{InitialDelay: 5 * time.Minute, GateAge: 5 * time.Minute, Standard: guard.DefaultStandard()}
	plan.Steps = []Step{{Name: "shadow", Dwell: time.Hour, Agreement: true}}
	for _, percent := range []rollout.Exposure{1, 5, 10, 25, 50, 100} {
		exposure := percent * rollout.All / 100
		plan.Steps = append(plan.Steps, Step{Name: exposure.String(), Exposure: exposure, Dwell: time.Hour, Errors: true, Agreement: true})
	}
	return plan
}

// ID tells plans apart by what they ask for.
func (p *Plan) ID() string {
	text, err := json.Marshal(p.Steps)
	if err != nil {
		panic(err) // a Step has nothing that JSON cannot hold
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// serving returns the first step that serves documents; the last one if none does.
func (p *Plan) serving() int {
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Exposure > rollout.None })
	if i < 0 {
		return len(p.Steps) - 1
	}
	return i
}

// find returns the index of a step by its name, or -1.
func (p *Plan) find(name string) int {
	return slices.IndexFunc(p.Steps, func(s Step) bool { return s.Name == name })
}

// Validate returns an error that names each bad setting and says what to do.
func (p *Plan) Validate() error {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if err := p.Standard.Validate(); err != nil {
		wrong = append(wrong, err)
	}
	if p.InitialDelay < 0 || p.GateAge <= 0 {
		complain("initial_delay is %v and gate_age %v: set the first to 0 or more, the second above 0, such as 5m", p.InitialDelay, p.GateAge)
	}
	if p.Floor >= rollout.All {
		complain("floor is %s: the brake must be able to lower something; set it below 100%%, best to 0", p.Floor)
	}
	for i, s := range p.Steps {
		switch {
		case s.Name == "":
			complain("step %d has no name: give each step one of its own, such as %q", i+1, s.Exposure)
		case p.find(s.Name) != i:
			complain("step %q is there twice: give each step a name of its own", s.Name)
		case s.Exposure > rollout.All:
			complain("step %q: its exposure is over 100%%: set it from 0 to 100", s.Name)
		case i > 0 && s.Exposure <= p.Steps[i-1].Exposure:
			complain("step %q is not above %q: order the steps by rising exposure", s.Name, p.Steps[i-1].Name)
		case s.Dwell < 0:
			complain("step %q: its dwell is %v: set it to 0 or more", s.Name, s.Dwell)
		case s.Errors && s.Exposure == rollout.None:
			complain("step %q serves no documents, so its errors prove nothing: take errors off it, and ask for agreement", s.Name)
		}
	}
	return errors.Join(wrong...)
}
