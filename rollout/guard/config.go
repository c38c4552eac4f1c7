package guard

import "sluice/rollout"

// Guardrail is one limit and how it is tested.
type Guardrail struct {
	// Limit is a ratio (2 is twice as often as the other path) or a rate, 0..1.
	// It is not used for Conservation.
	Limit float64 `json:"limit,omitempty"`
	// Alternatives are the harms the test is made for: multiples of the limit for
	// a ratio, rates above the limit for a rate.
	Alternatives []float64 `json:"alternatives,omitempty"`
	// Alpha is how many false alarms a day are allowed to a path that is exactly
	// at the limit.
	Alpha float64 `json:"alpha,omitempty"`
	// Least is the least evidence that breaches, whatever the traffic.
	Least float64 `json:"least,omitempty"`
	// From is the exposure from which on ErrorRate looks; unused by the others.
	From rollout.Exposure `json:"from,omitempty"`
	// Action is what a breach leads to.
	Action Action `json:"action"`
}

// Config is all guardrails.
type Config struct {
	Guardrails map[Name]Guardrail `json:"guardrails"`
	// Floor is the bad rate, 0..1, below which a ratio is of no interest.
	Floor float64 `json:"floor"`
	// Unhealthy is the bad rate, 0..1, of legacy over five minutes above which it
	// is not rolled back onto.
	Unhealthy float64 `json:"unhealthy"`
}

// Defaults returns the limits as they are recommended. At full exposure there is
// no ratio, and close to it a ratio needs hundreds of bad documents; from 99 % on
// ErrorRate stands in.
func Defaults() Config {
	multiples := []float64{1.5, 2.5, 5, 15}
	byRatio := func(limit, alpha float64, action Action) Guardrail {
		return Guardrail{Limit: limit, Alternatives: multiples, Alpha: alpha, Least: 100, Action: action}
	}
	byRate := func(alpha, limit float64, alternatives ...float64) Guardrail {
		return Guardrail{Limit: limit, Alternatives: alternatives, Alpha: alpha, Least: 1000, Action: Rollback}
	}
	const third = 1.0 / 3 // the three quantiles share the alarms of one
	full := byRate(1, 0.05, 0.1, 0.2, 0.5)
	full.From = 990_000
	return Config{
		Guardrails: map[Name]Guardrail{
			ErrorRatio:   byRatio(2, 0.1, Rollback),
			ErrorExcess:  byRatio(1, 0.1, Hold),
			ErrorRate:    full,
			LatencyP99:   byRate(third, 0.01, 0.03, 0.1, 0.3),
			LatencyP90:   byRate(third, 0.1, 0.2, 0.4, 0.7),
			LatencyP50:   byRate(third, 0.5, 0.65, 0.8, 0.95),
			Mismatch:     byRate(1, 0.01, 0.02, 0.05, 0.2),
			DeadLetter:   byRate(1, 0.001, 0.0025, 0.01, 0.05),
			ValidityMore: byRatio(2, 0.05, Hold),
			ValidityLess: byRatio(2, 0.05, Hold),
			Conservation: {Action: Rollback},
		},
		Floor:     0.001,
		Unhealthy: 0.2,
	}
}
