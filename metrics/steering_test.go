package metrics_test

import (
	"testing"

	"sluice/metrics"
)

// The two that are counted have each word from the start; the others are as they are
// when scraped.
func TestSteering(t *testing.T) {
	t.Parallel()
	c := config()
	now := &metrics.Steering{Step: -1, Alarm: true, Guardrails: []metrics.Guardrail{{Name: "error_ratio", Action: "rollback", Evidence: 1, Breached: true}}}
	c.Steering = func() *metrics.Steering { return now }
	g := metrics.NewGateway(c)
	g.RolledBack("error_ratio")
	g.RolledBack("a new word")
	g.PlanDecision("rollback")
	page := scrape(t, g.Handler())
	page.want(t, map[string]float64{
		`rollout_rollbacks_total{guardrail="error_ratio"}`:                      1,
		`rollout_rollbacks_total{guardrail="error_excess"}`:                     0,
		`rollout_rollbacks_total{guardrail="other"}`:                            1,
		`rollout_plan_decisions_total{action="rollback"}`:                       1,
		`rollout_plan_decisions_total{action="advance"}`:                        0,
		`rollout_guardrail_evidence{guardrail="error_ratio"}`:                   1,
		`rollout_guardrail_breached{action="rollback",guardrail="error_ratio"}`: 1,
		`rollout_alarm`: 1,
	})
	if page.count("rollout_plan_step") > 0 {
		t.Error("a step is shown, and there is no plan")
	}
	now = nil
	page = scrape(t, g.Handler())
	for _, name := range []string{"rollout_guardrail_evidence", "rollout_guardrail_breached", "rollout_alarm"} {
		if page.count(name) > 0 {
			t.Errorf("%s is shown, and nobody knows", name)
		}
	}
}
