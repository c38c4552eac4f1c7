package configs_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/configs"
)

const planned = `gates:
  - {name: acceptance, command: ["true"]}
plan:
  steps:
    - {name: shadow, exposure: 0, dwell: 1h, agreement: true}
    - {exposure: 12.5, dwell: 1h, gates: [acceptance], approval: true}
    - {exposure: 50, dwell: 1h, errors: false}
    - {exposure: 100}
guardrails:
  limits:
    error_ratio: {limit: 3}
    latency_p99: {action: warn}
`

// What a step and a guardrail leave out has its default, and a setting changes
// nothing beside it.
func TestStepsAndGuardrailsAreCompleted(t *testing.T) {
	c, err := load(t, planned, "guardrails.limits.error_ratio.action=hold")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Plan.Steps {
		got = append(got, s.Name)
	}
	if !slices.Equal(got, []string{"shadow", "12.5%", "50%", "100%"}) {
		t.Errorf("the steps are %q", got)
	}
	if s := c.Plan.Steps; *s[0].Errors || !*s[1].Errors || *s[2].Errors || !*s[3].Errors {
		t.Error("errors: its default is wrong, or it replaced what was set")
	}
	want := configs.Default().Guardrails
	want.Limits.ErrorRatio.Limit, want.Limits.ErrorRatio.Action, want.Limits.LatencyP99.Action = 3, "hold", "warn"
	if !reflect.DeepEqual(c.Guardrails, want) {
		t.Errorf("the guardrails are %+v, want %+v", c.Guardrails, want)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := load(t, text); err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("printed and read again: %v, %+v", err, again.Plan)
	}
}

func TestMistakesInPlanAndGuardrails(t *testing.T) {
	_, err := load(t, `guardrails:
  unhealty: 0.3
  evidence_horizon: 0s
  limits:
    error_ration: {limit: 3}
    error_ratio: {limits: 3, action: hold}
    latency_p99: {from: 5}
    mismatch: {action: rolback}
    conservation: {limit: 2}
    error_rate: {from: 101}
gates:
  - {name: slow, command: ["true"], every: 1h}
plan:
  floor: 100
  standard: {alfa: 1}
  steps:
    - {exposure: 0, dwell: 1h, errors: true}
    - {exposure: 5, gates: [acceptance]}
    - {exposure: 5, dwell: 1h, gates: [slow], aproval: true}
    - {exposure: 101}
`)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{
		"line 2: guardrails.unhealty: there is no such key",
		"line 3: guardrails.evidence_horizon: must be longer than 0s",
		"line 5: guardrails.limits.error_ration: there is no such key",
		"line 6: guardrails.limits.error_ratio.limits: there is no such key",
		"line 7: guardrails.limits.latency_p99.from: there is no such key",
		`line 8: guardrails.limits.mismatch.action: "rolback" is not one of rollback, hold, warn`,
		"line 9: guardrails.limits.conservation.limit: there is no such key",
		"line 10: guardrails.limits.error_rate.from: 101 is not a percentage",
		"line 14: plan.floor: must be below 100",
		"line 15: plan.standard.alfa: there is no such key",
		"line 17: plan.steps[0].errors: a step that serves nothing",
		"line 18: plan.steps[1].dwell: say how long",
		`line 18: plan.steps[1].gates[0]: there is no gate named "acceptance"`,
		"line 19: plan.steps[2].exposure: 5 is not above the 5 of the step before",
		`line 19: plan.steps[2].name: there are two steps named "5%"`,
		"line 19: plan.steps[2].aproval: there is no such key",
		`plan.gate_age: must not be less than 1h1m0s, the time from one answer of gate "slow"`,
		"line 20: plan.steps[3].exposure: 101 is not a percentage",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

// The plan that gateway.yaml shows in a comment is one.
func TestTheExampleOfAPlan(t *testing.T) {
	text, err := os.ReadFile("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`(?m)^#   steps:\n(#     - .*\n)+`).FindString(string(text))
	shown = "gates:\n  - {name: acceptance, command: [./acceptance.sh]}\nplan:\n" + regexp.MustCompile(`(?m)^#`).ReplaceAllString(shown, "")
	c, err := load(t, shown)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	var steps []float64
	for _, s := range c.Plan.Steps {
		steps = append(steps, s.Exposure)
	}
	if !slices.Equal(steps, []float64{0, 1, 5, 10, 25, 50, 100}) {
		t.Errorf("the steps are %v", steps)
	}
}
