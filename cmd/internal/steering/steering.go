// Package steering puts the plan and the guardrails of a configuration into the words
// of those that decide by them, and holds what operators are shown of both.
package steering

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// Check returns an error that names each key of both that is wrong, and says what to
// do.
func Check(c *configs.Config) error {
	_, guardrails := Guardrails(c.Guardrails)
	_, plan := Plan(c.Plan)
	return errors.Join(guardrails, plan)
}

// Guardrails returns the guardrails. It fails with an error that names each key that
// is wrong, one a line, and says what to do.
func Guardrails(c configs.Guardrails) (guard.Config, error) {
	config := guard.Config{Guardrails: map[guard.Name]guard.Guardrail{}, Floor: c.Floor, Unhealthy: c.Unhealthy}
	var wrong []error
	tested := c.Limits.Tested()
	for _, name := range slices.Sorted(maps.Keys(tested)) {
		wrong = append(wrong, add(&config, name, tested[name]))
	}
	wrong = append(wrong, add(&config, guard.Conservation.String(), configs.Guardrail{Action: c.Limits.Conservation.Action}))
	from, err := rollout.ParsePercent(c.Limits.ErrorRate.From)
	if err != nil {
		wrong = append(wrong, fmt.Errorf("guardrails.limits.error_rate.from: %w", err))
	}
	rate := config.Guardrails[guard.ErrorRate]
	rate.From = from
	config.Guardrails[guard.ErrorRate] = rate
	if err := errors.Join(wrong...); err != nil {
		return guard.Config{}, err
	}
	return config, checkGuardrails(&config)
}

// add adds one guardrail.
func add(config *guard.Config, name string, g configs.Guardrail) error {
	var key guard.Name
	var action guard.Action
	if err := errors.Join(key.UnmarshalText([]byte(name)), action.UnmarshalText([]byte(g.Action))); err != nil {
		return fmt.Errorf("guardrails.limits.%s.action: %w", name, err)
	}
	config.Guardrails[key] = guard.Guardrail{Limit: g.Limit, Alternatives: g.Alternatives, Alpha: g.Alpha, Least: g.Least, Action: action}
	return nil
}

// checkGuardrails validates each part by itself, so that its key is known.
func checkGuardrails(config *guard.Config) error {
	rates := guard.Defaults()
	rates.Floor, rates.Unhealthy = config.Floor, config.Unhealthy
	wrong := []error{keyed("guardrails.", rates.Validate())}
	for _, name := range guard.Names() {
		one := guard.Defaults()
		one.Guardrails[name] = config.Guardrails[name]
		if err := one.Validate(); err != nil {
			wrong = append(wrong, fmt.Errorf("guardrails.limits.%s: %s", name, strings.TrimPrefix(err.Error(), fmt.Sprintf("guardrail %s: ", name))))
		}
	}
	return errors.Join(wrong...)
}

// Plan returns the plan, without steps if there is none. It fails as Guardrails does.
func Plan(c configs.Plan) (control.Plan, error) {
	plan := control.Plan{
		InitialDelay: c.InitialDelay.Std(), GateAge: c.GateAge.Std(),
		Standard: guard.Standard{Ratio: c.Standard.Ratio, Alpha: c.Standard.Alpha, Floor: c.Standard.Floor,
			Mismatch: c.Standard.Mismatch, SampleRatio: c.Standard.SampleRatio},
	}
	var wrong []error
	percent := func(key string, value float64) rollout.Exposure {
		exposure, err := rollout.ParsePercent(value)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", key, err))
		}
		return exposure
	}
	plan.Floor = percent("plan.floor", c.Floor)
	for i, s := range c.Steps {
		plan.Steps = append(plan.Steps, control.Step{
			Name: s.Name, Exposure: percent(fmt.Sprintf("plan.steps[%d].exposure", i), s.Exposure), Dwell: s.Dwell.Std(),
			Errors: s.Errors != nil && *s.Errors, Agreement: s.Agreement, Gates: s.Gates, Approval: s.Approval,
		})
	}
	wrong = append(wrong, keyed("plan.standard.", plan.Standard.Validate()))
	rest := plan
	rest.Standard = guard.DefaultStandard() // the other one has been looked at
	wrong = append(wrong, keyed("plan.", rest.Validate()))
	if err := errors.Join(wrong...); err != nil {
		return control.Plan{}, err
	}
	return plan, nil
}

// keyed puts the key in front of each line of an error. The lines begin with the last
// part of theirs, or speak of a step.
func keyed(key string, err error) error {
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "step ") {
			line = "steps: " + line
		}
		lines[i] = key + line
	}
	return errors.New(strings.Join(lines, "\n"))
}
