package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Steering is where the guardrails and the plan are, as this gateway knows it.
type Steering struct {
	// Step is the plan's, from 0; below 0 without a plan.
	Step int
	// Alarm: a breach is not rolled back, because legacy itself is unhealthy.
	Alarm      bool
	Guardrails []Guardrail
}

// Guardrail is how far one of them is.
type Guardrail struct {
	// Name and Action are words of closed sets.
	Name, Action string
	// Evidence is the share of the way to the limit, 0..1.
	Evidence float64
	Breached bool
}

// steered counts what was decided; only the gateway that decides counts.
type steered struct{ decisions, rollbacks vocabulary }

func newSteered(g *Gateway, c GatewayConfig) steered {
	return steered{
		decisions: newVocabulary(g.counter("rollout_plan_decisions_total",
			"Decisions of the control loop, by action, counted by the gateway that decides.", "action"), c.PlanActions),
		rollbacks: newVocabulary(g.counter("rollout_rollbacks_total",
			"Automatic rollbacks, by the guardrail that was breached, counted by the gateway that decides.", "guardrail"), c.Guardrails),
	}
}

// PlanDecision counts one decision of the control loop by its action.
func (g *Gateway) PlanDecision(action string) { g.steered.decisions.count(action) }

// RolledBack counts an automatic rollback by its guardrail.
func (g *Gateway) RolledBack(guardrail string) { g.steered.rollbacks.count(guardrail) }

// steeringCollector reads once a scrape, so that its metrics belong together.
type steeringCollector struct {
	read                            func() *Steering
	evidence, breached, step, alarm *prometheus.Desc
}

func newSteeringCollector(read func() *Steering) *steeringCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &steeringCollector{
		read: read,
		evidence: desc("rollout_guardrail_evidence",
			"How far the guardrail's evidence is on the way to its limit, 0..1.", "guardrail"),
		breached: desc("rollout_guardrail_breached",
			"1 while the guardrail's limit is crossed, which lasts until a release; action is what that leads to.", "guardrail", "action"),
		step: desc("rollout_plan_step", "The plan's step in force, from 0; absent without a plan."),
		alarm: desc("rollout_alarm",
			"1 while a breach is not rolled back, because legacy itself is unhealthy."),
	}
}

func (c *steeringCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.evidence, c.breached, c.step, c.alarm} {
		out <- desc
	}
}

func (c *steeringCollector) Collect(out chan<- prometheus.Metric) {
	s := c.read()
	if s == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, g := range s.Guardrails {
		gauge(c.evidence, g.Evidence, g.Name)
		gauge(c.breached, bit(g.Breached), g.Name, g.Action)
	}
	if s.Step >= 0 {
		gauge(c.step, float64(s.Step))
	}
	gauge(c.alarm, bit(s.Alarm))
}
