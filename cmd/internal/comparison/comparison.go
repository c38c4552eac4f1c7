// Package comparison reads from the configuration by what answers are compared, the
// same for the gateway and for the validation of a backlog.
package comparison

import (
	"fmt"

	"sluice/configs"
	"sluice/rollout/compare"
	"sluice/rollout/compare/certificate"
)

// Rules returns what the configuration calls no difference.
func Rules(c configs.Compare) (rules []compare.Rule) {
	for _, pattern := range c.Ignore {
		rules = append(rules, compare.Rule{Effect: compare.Ignore, Pattern: pattern})
	}
	for _, pattern := range c.Sets {
		rules = append(rules, compare.Rule{Effect: compare.Set, Pattern: pattern})
	}
	for _, t := range c.Tolerances {
		rules = append(rules, compare.Rule{Effect: compare.Tolerance, Pattern: t.Field, Absolute: t.Absolute, Relative: t.Relative})
	}
	return rules
}

// Patterns reads patterns; key is where they stand in the configuration, for errors.
func Patterns(key string, texts []string) (all []compare.Pattern, err error) {
	for i, text := range texts {
		p, err := compare.ParsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", key, i, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Limits returns what a certificate is to prove.
func Limits(c configs.Limits) certificate.Limits {
	l := certificate.DefaultLimits()
	l.Mismatch, l.Validity, l.Latency, l.Uncompared = c.Mismatch/100, c.Validity/100, c.Latency, c.Uncompared/100
	return l
}
