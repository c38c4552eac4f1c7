package loop

import (
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// View is how the plan stands, for people. Exposures are in percent. Without a Leader
// nobody decides.
type View struct {
	Leader   string    `json:"leader"`
	At       time.Time `json:"at,omitzero"`
	Exposure float64   `json:"exposure"`
	Flag     float64   `json:"flag"`
	Plan     float64   `json:"plan"`
	Brake    float64   `json:"brake"`
	Kill     bool      `json:"kill"`
	Steps    []Step    `json:"steps"`
	// Step is the one in force, Since when it began, Dwelt how long it was watched.
	Step     string           `json:"step"`
	Since    time.Time        `json:"since,omitzero"`
	Dwelt    time.Duration    `json:"dwelt"`
	Held     *control.Act     `json:"held"`
	Disarmed *control.Act     `json:"disarmed"`
	Due      bool             `json:"due"`
	Approval *control.Act     `json:"approval"`
	Decision control.Decision `json:"decision"`
	// Unhealthy: legacy itself is proved unhealthy.
	Unhealthy bool          `json:"unhealthy"`
	Meters    []guard.Meter `json:"meters"`
	// Thresholds are the latencies above which Temporal is slow.
	Thresholds []time.Duration `json:"thresholds"`
	Tally      Counters        `json:"tally"`
	Breaches   []guard.Breach  `json:"breaches"`
	Builds     []Build         `json:"builds,omitempty"`
}

// Step is one step of the plan.
type Step struct {
	Name      string        `json:"name"`
	Exposure  float64       `json:"exposure"`
	Dwell     time.Duration `json:"dwell"`
	Errors    bool          `json:"errors"`
	Agreement bool          `json:"agreement"`
	Gates     []string      `json:"gates"`
	Approval  bool          `json:"approval"`
}

// Certificates is the answer to a look at certificates, the newest first.
type Certificates struct {
	Certificates []control.Certificate `json:"certificates"`
}

// Trips is the answer to a look at reports, the newest first.
type Trips struct {
	Trips []Trip `json:"trips"`
}

// Ticks is the answer to a look at decisions, the newest first.
type Ticks struct {
	Ticks []Tick `json:"ticks"`
}

// View shows a state under the policy in force.
func (c *Config) View(text []byte, p *rollout.Policy) (*View, error) {
	st, err := Parse(text)
	if err != nil {
		return nil, err
	}
	v := &View{
		Leader: st.Owner, At: st.At,
		Exposure: p.Exposure().Percent(), Flag: p.Flag.Percent(), Plan: p.Plan.Percent(), Brake: p.Brake.Percent(), Kill: p.Kill,
		Since: st.Progress.Since, Dwelt: st.Progress.Dwelt, Held: st.Progress.Held, Disarmed: st.Progress.Disarmed,
		Due: st.Progress.Due, Approval: st.Progress.Approval,
		Decision:  st.Decision,
		Unhealthy: st.Guard.Unhealthy(&c.Guard, st.Guard.Second),
		Meters:    st.Guard.Meters(&c.Guard, p.Exposure(), st.Guard.Second),
		Tally:     countersOf(&st.Tally.Sum), Breaches: st.Guard.Breaches(&c.Guard), Builds: st.Builds,
	}
	if len(c.Plan.Steps) == 0 {
		v.Tally = countersOf(&st.Sum)
	}
	if st.Thresholds != (rollout.Thresholds{}) {
		v.Thresholds = st.Thresholds[:]
	}
	for i, s := range c.Plan.Steps {
		v.Steps = append(v.Steps, Step{
			Name: s.Name, Exposure: s.Exposure.Percent(), Dwell: s.Dwell,
			Errors: s.Errors, Agreement: s.Agreement, Gates: s.Gates, Approval: s.Approval,
		})
		if i == st.Progress.Step && st.Progress.Plan != "" {
			v.Step = s.Name
		}
	}
	return v, nil
}
