// Package comparison reads from the configuration by what answers are compared, the
// same for the gateway and for the validation of a backlog.
package comparison

import (
	"fmt"

	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/compare/certificate"
)

// Comparison is all that the configuration says of comparing.
type Comparison struct {
	Rules    []compare.Rule
	Comparer *compare.Comparer
	// Marks are fields that an operator calls noise, Redact those whose values are not
	// kept.
	Marks, Redact []compare.Pattern
	// Pairs is the share of the shadows that run twice.
	Pairs rollout.Exposure
	// Limits are what a certificate is to prove.
	Limits certificate.Limits
}

// Read reads it. It fails if a rule, a pattern or the share cannot be used.
func Read(c configs.Shadow) (Comparison, error) {
	r := Comparison{Rules: rules(c.Compare), Limits: limits(c.Limits)}
	var err error
	if r.Comparer, err = compare.New(compare.Config{Rules: r.Rules, Fields: c.Compare.Headers, Limits: compare.Limits{Decoded: int(c.Largest)}}); err != nil {
		return r, fmt.Errorf("shadow.compare: %w", err)
	}
	if r.Marks, err = patterns("shadow.compare.noise", c.Compare.Noise); err != nil {
		return r, err
	}
	if r.Redact, err = patterns("shadow.redact", c.Redact); err != nil {
		return r, err
	}
	if r.Pairs, err = rollout.ParsePercent(c.Pairs); err != nil {
		return r, fmt.Errorf("shadow.pairs: %w", err)
	}
	return r, nil
}

// rules returns what the configuration calls no difference.
func rules(c configs.Compare) (all []compare.Rule) {
	for _, pattern := range c.Ignore {
		all = append(all, compare.Rule{Effect: compare.Ignore, Pattern: pattern})
	}
	for _, pattern := range c.Sets {
		all = append(all, compare.Rule{Effect: compare.Set, Pattern: pattern})
	}
	for _, t := range c.Tolerances {
		all = append(all, compare.Rule{Effect: compare.Tolerance, Pattern: t.Field, Absolute: t.Absolute, Relative: t.Relative})
	}
	return all
}

// patterns reads patterns; key is where they stand in the configuration, for errors.
func patterns(key string, texts []string) (all []compare.Pattern, err error) {
	for i, text := range texts {
		p, err := compare.ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", key, i, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// limits returns what a certificate is to prove.
func limits(c configs.Limits) certificate.Limits {
	l := certificate.DefaultLimits()
	l.Mismatch, l.Validity, l.Latency, l.Uncompared = c.Mismatch/100, c.Validity/100, c.Latency, c.Uncompared/100
	return l
}
