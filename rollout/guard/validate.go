package guard

import (
	"errors"
	"fmt"
)

// Validate returns an error that names each bad setting and says what to do.
func (c *Config) Validate() error {
	var wrong []error
	if !(c.Floor >= 0 && c.Floor < 1) {
		wrong = append(wrong, fmt.Errorf("floor is %v: it is a rate; set it from 0 to below 1, such as 0.001", c.Floor))
	}
	if !(c.Unhealthy > 0 && c.Unhealthy < 1) {
		wrong = append(wrong, fmt.Errorf("unhealthy is %v: it is a rate; set it between 0 and 1, such as 0.2", c.Unhealthy))
	}
	for _, name := range Names() {
		g, ok := c.Guardrails[name]
		if !ok {
			wrong = append(wrong, fmt.Errorf("guardrail %s is missing: leave all of them in, and give one that should do nothing the action warn", name))
			continue
		}
		if err := g.validate(name); err != nil {
			wrong = append(wrong, fmt.Errorf("guardrail %s: %w", name, err))
		}
	}
	return errors.Join(wrong...)
}

func (g *Guardrail) validate(name Name) error {
	if g.Action < Rollback || g.Action > Warn {
		return errors.New("it has no action: set action to rollback, hold or warn")
	}
	if name.kind() == count {
		return nil
	}
	if !(g.Alpha > 0 && g.Alpha <= 1) {
		return fmt.Errorf("alpha is %v: set it above 0 and at most 1, the false alarms a day that you accept", g.Alpha)
	}
	if !(g.Least > 1) {
		return fmt.Errorf("least is %v: set it above 1, such as 100; at 1 no evidence at all is a breach", g.Least)
	}
	if len(g.Alternatives) == 0 {
		return errors.New("it has no alternatives: set at least one size of harm that should be noticed")
	}
	if name.kind() == ratio {
		return g.validateRatio()
	}
	return g.validateRate()
}

func (g *Guardrail) validateRatio() error {
	if !(g.Limit >= 1 && g.Limit <= 1000) {
		return fmt.Errorf("limit is %v: it is a ratio; set it to 1 or more (2 is twice as often)", g.Limit)
	}
	for _, a := range g.Alternatives {
		if !(a > 1 && a <= 1000) {
			return fmt.Errorf("alternative %v is not above 1: alternatives are multiples of the limit, such as 1.5, 2.5, 5, 15", a)
		}
	}
	return nil
}

func (g *Guardrail) validateRate() error {
	if !(g.Limit > 0 && g.Limit < 1) {
		return fmt.Errorf("limit is %v: it is a rate; set it between 0 and 1 (0.01 is one in a hundred)", g.Limit)
	}
	for _, a := range g.Alternatives {
		if !(a > g.Limit && a < 1) {
			return fmt.Errorf("alternative %v is not between the limit %v and 1: alternatives are rates above the limit", a, g.Limit)
		}
	}
	return nil
}
