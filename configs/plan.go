package configs

import (
	"fmt"
	"slices"
	"time"

	"sluice/rollout"
)

// Plan is the ramp that advances on evidence. Without steps there is none, and the
// flag and the brake alone rule.
type Plan struct {
	Steps []Step `yaml:"steps"`
	// Floor is what an automatic rollback leaves, in percent.
	Floor float64 `yaml:"floor"`
	// InitialDelay is how long a plan that begins, or begins again, runs before it
	// advances. It delays no rollback.
	InitialDelay Duration `yaml:"initial_delay"`
	// GateAge is how long an external gate's answer is good for.
	GateAge  Duration `yaml:"gate_age"`
	Standard Standard `yaml:"standard"`
}

// Step is one ceiling of the plan, and what it takes to leave it for the next.
type Step struct {
	// Name is its exposure, such as "12.5%", if left out.
	Name string `yaml:"name"`
	// Exposure is in percent, and rises from step to step.
	Exposure float64 `yaml:"exposure"`
	// Dwell is how long it must be in force, watched.
	Dwell Duration `yaml:"dwell"`
	// Errors: it must be proved that Temporal fails no more often than the standard
	// allows. Left out: true, unless the step serves nothing.
	Errors *bool `yaml:"errors,omitempty"`
	// Agreement: it must be proved that mirrored documents agree.
	Agreement bool `yaml:"agreement"`
	// Gates are names of external gates that must say yes.
	Gates []string `yaml:"gates,flow"`
	// Approval: a human approves, after all else.
	Approval bool `yaml:"approval"`
}

// Standard is what must be proved for the plan to advance.
type Standard struct {
	// Ratio is how many times legacy's bad rate must be excluded.
	Ratio float64 `yaml:"ratio"`
	// Alpha is the chance, 0..1, that a path at a limit passes.
	Alpha float64 `yaml:"alpha"`
	// Floor is a bad rate, 0..1, that is good enough whatever legacy's is.
	Floor float64 `yaml:"floor"`
	// Mismatch is the rate of mismatches, 0..1, that must be excluded.
	Mismatch float64 `yaml:"mismatch"`
	// SampleRatio is the p-value below which assignments are taken to be lost.
	SampleRatio float64 `yaml:"sample_ratio"`
}

func defaultPlan() Plan {
	return Plan{
		Steps: []Step{}, InitialDelay: Duration(5 * time.Minute), GateAge: Duration(15 * time.Minute),
		Standard: Standard{Ratio: 2, Alpha: 0.05, Floor: 0.001, Mismatch: 0.01, SampleRatio: 0.001},
	}
}

// complete fills in what a step leaves out.
func (s *Step) complete() {
	if exposure, err := rollout.ParsePercent(s.Exposure); s.Name == "" && err == nil {
		s.Name = exposure.String()
	}
	if s.Errors == nil {
		serves := s.Exposure > 0
		s.Errors = &serves
	}
	if s.Gates == nil {
		s.Gates = []string{}
	}
}

func validatePlan(p *Plan, gates []Gate, wrong complain) {
	wrong.percent("plan.floor", p.Floor)
	if p.Floor == 100 {
		wrong("plan.floor", "must be below 100, best 0, or a rollback lowers nothing")
	}
	wrong.notNegative("plan.initial_delay", p.InitialDelay)
	wrong.positive("plan.gate_age", p.GateAge)
	names := map[string]bool{}
	for i := range p.Steps {
		s, key := &p.Steps[i], fmt.Sprintf("plan.steps[%d]", i)
		if names[s.Name] {
			wrong(key+".name", "there are two steps named %q", s.Name)
		}
		names[s.Name] = true
		wrong.percent(key+".exposure", s.Exposure)
		if i > 0 && !(s.Exposure > p.Steps[i-1].Exposure) {
			wrong(key+".exposure", "%v is not above the %v of the step before: order the steps by rising exposure", s.Exposure, p.Steps[i-1].Exposure)
		}
		wrong.notNegative(key+".dwell", s.Dwell)
		if last := i == len(p.Steps)-1; s.Dwell == 0 && !last {
			wrong(key+".dwell", "say how long the step must hold at least, such as 1h")
		}
		if s.Exposure == 0 && *s.Errors {
			wrong(key+".errors", "a step that serves nothing proves nothing about errors: ask for agreement instead")
		}
		p.validateGates(s, key, gates, wrong)
	}
}

// validateGates complains of gates that are not there, and of those whose answers are
// too old before the next can be there.
func (p *Plan) validateGates(s *Step, key string, gates []Gate, wrong complain) {
	for i, name := range s.Gates {
		at := slices.IndexFunc(gates, func(g Gate) bool { return g.Name == name })
		if at < 0 {
			wrong(fmt.Sprintf("%s.gates[%d]", key, i), "there is no gate named %q: add it to gates", name)
			continue
		}
		if between := gates[at].Every + gates[at].Timeout; p.GateAge < between {
			wrong("plan.gate_age", "must not be less than %v, the time from one answer of gate %q to the next (every and timeout)", between.Std(), name)
		}
	}
}
