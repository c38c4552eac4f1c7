package configs

import "time"

// Guardrails says when Temporal is worse than it may be, and what follows.
type Guardrails struct {
	// Floor is the bad rate, 0..1, below which a ratio is of no interest.
	Floor float64 `yaml:"floor"`
	// Unhealthy is the bad rate of legacy, 0..1, over five minutes, above which
	// nothing is rolled back onto it.
	Unhealthy float64 `yaml:"unhealthy"`
	// EvidenceHorizon is how old a document is, without an outcome, when it counts
	// as bad.
	EvidenceHorizon Duration `yaml:"evidence_horizon"`
	// Limits are the guardrails themselves.
	Limits GuardrailLimits `yaml:"limits"`
}

// GuardrailLimits are all guardrails, by the names that metrics and logs use.
type GuardrailLimits struct {
	ErrorRatio   Guardrail     `yaml:"error_ratio"`
	ErrorExcess  Guardrail     `yaml:"error_excess"`
	ErrorRate    GuardrailFrom `yaml:"error_rate"`
	LatencyP99   Guardrail     `yaml:"latency_p99"`
	LatencyP90   Guardrail     `yaml:"latency_p90"`
	LatencyP50   Guardrail     `yaml:"latency_p50"`
	Mismatch     Guardrail     `yaml:"mismatch"`
	DeadLetter   Guardrail     `yaml:"dead_letter"`
	ValidityMore Guardrail     `yaml:"validity_more"`
	ValidityLess Guardrail     `yaml:"validity_less"`
	Conservation Zero          `yaml:"conservation"`
}

// Guardrail is one limit and how it is tested.
type Guardrail struct {
	// Limit is a ratio (2 is twice legacy's) or a rate, 0..1.
	Limit float64 `yaml:"limit"`
	// Alternatives are the harms the test is made for: multiples of the limit for a
	// ratio, rates above it for a rate.
	Alternatives []float64 `yaml:"alternatives,flow"`
	// Alpha is how many false alarms a day are allowed to a path that is exactly at
	// the limit.
	Alpha float64 `yaml:"alpha"`
	// Least is the least evidence that breaches, whatever the traffic.
	Least float64 `yaml:"least"`
	// Action is rollback, hold or warn.
	Action string `yaml:"action"`
}

// GuardrailFrom is one that looks only from an exposure on.
type GuardrailFrom struct {
	Guardrail `yaml:",inline"`
	// From is that exposure, in percent.
	From float64 `yaml:"from"`
}

// Zero is a guardrail for what must never happen: one is a breach.
type Zero struct {
	// Action is rollback, hold or warn.
	Action string `yaml:"action"`
}

func defaultGuardrails() Guardrails {
	byRatio := func(limit, alpha float64, action string) Guardrail {
		return Guardrail{Limit: limit, Alternatives: []float64{1.5, 2.5, 5, 15}, Alpha: alpha, Least: 100, Action: action}
	}
	byRate := func(alpha, limit float64, alternatives ...float64) Guardrail {
		return Guardrail{Limit: limit, Alternatives: alternatives, Alpha: alpha, Least: 1000, Action: "rollback"}
	}
	const third = 1.0 / 3 // the three quantiles share the alarms of one
	return Guardrails{
		Floor: 0.001, Unhealthy: 0.2, EvidenceHorizon: Duration(10 * time.Minute),
		Limits: GuardrailLimits{
			ErrorRatio:   byRatio(2, 0.1, "rollback"),
			ErrorExcess:  byRatio(1, 0.1, "hold"),
			ErrorRate:    GuardrailFrom{Guardrail: byRate(1, 0.05, 0.1, 0.2, 0.5), From: 99},
			LatencyP99:   byRate(third, 0.01, 0.03, 0.1, 0.3),
			LatencyP90:   byRate(third, 0.1, 0.2, 0.4, 0.7),
			LatencyP50:   byRate(third, 0.5, 0.65, 0.8, 0.95),
			Mismatch:     byRate(1, 0.01, 0.02, 0.05, 0.2),
			DeadLetter:   byRate(1, 0.001, 0.0025, 0.01, 0.05),
			ValidityMore: byRatio(2, 0.05, "hold"),
			ValidityLess: byRatio(2, 0.05, "hold"),
			Conservation: Zero{Action: "rollback"},
		},
	}
}

// validateGuardrails leaves the numbers of a test to the test, which knows what
// they mean.
func validateGuardrails(g *Guardrails, wrong complain) {
	wrong.positive("guardrails.evidence_horizon", g.EvidenceHorizon)
	wrong.percent("guardrails.limits.error_rate.from", g.Limits.ErrorRate.From)
	for name, action := range g.Limits.actions() {
		wrong.oneOf("guardrails.limits."+name+".action", action, "rollback", "hold", "warn")
	}
}

// actions returns each guardrail's, by its name.
func (l *GuardrailLimits) actions() map[string]string {
	all := map[string]string{"conservation": l.Conservation.Action}
	for name, g := range l.Tested() {
		all[name] = g.Action
	}
	return all
}

// Tested returns the guardrails that are tests, by their names: all but
// conservation.
func (l *GuardrailLimits) Tested() map[string]Guardrail {
	return map[string]Guardrail{
		"error_ratio": l.ErrorRatio, "error_excess": l.ErrorExcess, "error_rate": l.ErrorRate.Guardrail,
		"latency_p99": l.LatencyP99, "latency_p90": l.LatencyP90, "latency_p50": l.LatencyP50,
		"mismatch": l.Mismatch, "dead_letter": l.DeadLetter,
		"validity_more": l.ValidityMore, "validity_less": l.ValidityLess,
	}
}
