package steering_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/cmd/internal/steering"
	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// The configuration and the tests themselves recommend the same, and know the same
// guardrails.
func TestDefaultsAreTheRecommended(t *testing.T) {
	c := configs.Default()
	guardrails, err := steering.Guardrails(c.Guardrails)
	if want := guard.Defaults(); err != nil || !reflect.DeepEqual(guardrails, want) {
		t.Errorf("%v, %+v, want %+v", err, guardrails, want)
	}
	plan, err := steering.Plan(c.Plan)
	if err != nil || len(plan.Steps) > 0 || plan.Standard != guard.DefaultStandard() || plan.InitialDelay != control.DefaultPlan().InitialDelay {
		t.Errorf("%v, %+v", err, plan)
	}
}

func load(t *testing.T, text string) configs.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := configs.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// All that a configuration says arrives.
func TestEverythingIsConverted(t *testing.T) {
	c := load(t, `gates: [{name: acceptance, command: ["true"]}]
guardrails:
  floor: 0.002
  unhealthy: 0.3
  limits:
    error_ratio: {limit: 3, alternatives: [2], alpha: 0.2, least: 50, action: warn}
    error_rate: {from: 95}
    conservation: {action: hold}
plan:
  steps:
    - {name: shadow, exposure: 0, dwell: 2s, agreement: true}
    - {exposure: 12.5, dwell: 1h, gates: [acceptance], approval: true}
    - {exposure: 100, dwell: 1h, errors: false}
  floor: 1
  initial_delay: 3s
  gate_age: 20m
  standard: {ratio: 3, alpha: 0.1, floor: 0.002, mismatch: 0.02, sample_ratio: 0.0001}
`)
	want := guard.Defaults()
	want.Floor, want.Unhealthy = 0.002, 0.3
	want.Guardrails[guard.ErrorRatio] = guard.Guardrail{Limit: 3, Alternatives: []float64{2}, Alpha: 0.2, Least: 50, Action: guard.Warn}
	rate := want.Guardrails[guard.ErrorRate]
	rate.From = 950_000
	want.Guardrails[guard.ErrorRate] = rate
	want.Guardrails[guard.Conservation] = guard.Guardrail{Action: guard.Hold}
	if got, err := steering.Guardrails(c.Guardrails); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %+v, want %+v", err, got, want)
	}
	plan := control.Plan{
		Steps: []control.Step{
			{Name: "shadow", Dwell: 2 * time.Second, Agreement: true, Gates: []string{}},
			{Name: "12.5%", Exposure: 125_000, Dwell: time.Hour, Errors: true, Gates: []string{"acceptance"}, Approval: true},
			{Name: "100%", Exposure: rollout.All, Dwell: time.Hour, Gates: []string{}},
		},
		Floor: 10_000, InitialDelay: 3 * time.Second, GateAge: 20 * time.Minute,
		Standard: guard.Standard{Ratio: 3, Alpha: 0.1, Floor: 0.002, Mismatch: 0.02, SampleRatio: 0.0001},
	}
	if got, err := steering.Plan(c.Plan); err != nil || !reflect.DeepEqual(got, plan) {
		t.Errorf("%v, %+v, want %+v", err, got, plan)
	}
}

// What only the tests themselves know to be wrong is named by its key.
func TestErrorsNameTheKey(t *testing.T) {
	c := load(t, `guardrails:
  floor: 1
  unhealthy: 0
  limits:
    error_ratio: {limit: 0.5}
    latency_p99: {limit: 0.05}
    mismatch: {alpha: 0}
    dead_letter: {alternatives: []}
    validity_more: {least: 1}
plan:
  steps: [{exposure: 1, dwell: 1h}, {name: b, exposure: 1.00001}]
  standard: {ratio: 1, alpha: 1}
`)
	err := steering.Check(&c)
	if err == nil {
		t.Fatal("it was taken")
	}
	wanted := []string{
		"guardrails.floor is 1: ", "guardrails.unhealthy is 0: ",
		"guardrails.limits.error_ratio: limit is 0.5: it is a ratio",
		"guardrails.limits.latency_p99: alternative 0.03 is not between the limit 0.05 and 1",
		"guardrails.limits.mismatch: alpha is 0", "guardrails.limits.dead_letter: it has no alternatives",
		"guardrails.limits.validity_more: least is 1",
		"plan.standard.ratio is 1: ", "plan.standard.alpha is 1: ", `plan.steps: step "b" is not above "1%"`,
	}
	for _, want := range wanted {
		if !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("no line begins with %q", want)
		}
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != len(wanted) || t.Failed() {
		t.Errorf("%d lines instead of %d:\n%v", len(lines), len(wanted), err)
	}
	c.Guardrails.Limits.Mismatch.Action, c.Guardrails.Limits.ErrorRate.From = "stop", 200
	if _, err := steering.Guardrails(c.Guardrails); err == nil || !strings.Contains(err.Error(), "guardrails.limits.mismatch.action: ") ||
		!strings.Contains(err.Error(), "guardrails.limits.error_rate.from: ") {
		t.Errorf("got %v", err)
	}
}
