package configs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/configs"
)

// whereRoute is a route on one line, with more in it.
func whereRoute(more string) string {
	return "routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: none, workflow: {type: T, task_queue: q}, " + more + "}]\n"
}

// The key that is blamed is the one whose value is wrong, whatever else stands on its
// line, and no other is.
func TestTheWrongKeyIsBlamed(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"a text for a number": {whereRoute(`failures: {X: "422", Y: 400}`),
			[]string{`line 1: routes[0].failures.X: a whole number is expected here, and the text "422" in quotes is given`}},
		"the last of a line":   {whereRoute(`failures: {X: 422, Y: many}`), []string{`line 1: routes[0].failures.Y: a whole number is expected here, and "many" is given`}},
		"two of a line":        {whereRoute(`failures: {X: a, Y: 400, Z: 4.5}`), []string{"line 1: routes[0].failures.X: ", "line 1: routes[0].failures.Z: "}},
		"true or false":        {whereRoute(`integer_ids: perhaps, id_space: a`), []string{`line 1: routes[0].integer_ids: true or false is expected here, and "perhaps" is given`}},
		"a list's element":     {"gates: [{name: a, command: [x], every: 1m, timeout: 1s}, {name: b, command: [x], every: 10, timeout: 1s}]\n", []string{`line 1: gates[1].every: "10" is not a duration`}},
		"a number in a list":   {"guardrails: {limits: {mismatch: {alternatives: [0.02, x], alpha: 1}}}\n", []string{`line 1: guardrails.limits.mismatch.alternatives[1]: a number is expected here`}},
		"a list for a text":    {"log: {level: [info], access: true}\n", []string{"line 1: log.level: a text is expected here, and a list is given"}},
		"a text for a list":    {whereRoute("headers: X-A, auth: none"), []string{`line 1: routes[0].headers: a list is expected here, and "X-A" is given`, `line 1: routes[0].auth: mapping key "auth" already defined at line 1`}},
		"keys for a text":      {"data: {a: b}\n", []string{"line 1: data: a text is expected here, and a group of keys is given"}},
		"a text for keys":      {"listen: 8080\n", []string{`line 1: listen: a group of keys is expected here, and "8080" is given`}},
		"a size, a duration":   {"requests: {max_body: 10MB, header_timeout: 5, max_header: 64KiB}\n", []string{`requests.max_body: "10MB" is not a size`, `requests.header_timeout: "5" is not a duration`}},
		"an unknown key":       {"log: {level: info, levle: info, access: true}\n", []string{"line 1: log.levle: there is no such key"}},
		"two of one name":      {"legacy: {dial: 1s}\ndrain: {dial: 1s, timeout: 3s}\n", []string{"line 1: legacy.dial: there is no such key", "line 2: drain.dial: there is no such key"}},
		"a key twice":          {"log: {level: info, access: true, level: debug}\n", []string{`line 1: log.level: mapping key "level" already defined at line 1`}},
		"what an alias is for": {"log: {level: &x info}\ntemporal: {max_waiters: *x, wait: 1s}\n", []string{`line 2: temporal.max_waiters: a whole number is expected here, and "info" is given`}},
		"in what is merged": {"plan:\n  steps:\n    - &s {exposure: 1, dwell: 1h}\n    - {<<: *s, exposure: 5, dwell: long}\n",
			[]string{`line 4: plan.steps[1].dwell: "long" is not a duration`}},
		"what embeds another": {"guardrails: {limits: {error_rate: {limit: x, from: y}}}\n",
			[]string{"line 1: guardrails.limits.error_rate.limit: a number", "line 1: guardrails.limits.error_rate.from: a number"}},
		"what may be left out": {"plan: {steps: [{exposure: 1, dwell: 1h, errors: 7}]}\n", []string{`line 1: plan.steps[0].errors: true or false is expected here, and "7" is given`}},
		"too large a number":   {"temporal: {max_waiters: 99999999999999999999, wait: 1s}\n", []string{"line 1: temporal.max_waiters: a whole number"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, row.text)
			var problems *configs.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			if len(problems.List) != len(row.want) {
				t.Errorf("%d problems instead of %d:\n%v", len(problems.List), len(row.want), err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// A setting that holds many keys blames each that is wrong.
func TestTheWrongKeyOfASettingIsBlamed(t *testing.T) {
	_, err := load(t, "", strings.TrimSuffix(strings.Replace(whereRoute(`failures: {X: "422", Y: 400, Z: a}`), ": ", "=", 1), "\n"))
	var problems *configs.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	var keys []string
	for _, one := range problems.List {
		keys = append(keys, fmt.Sprint(one.Line, one.Key))
	}
	if want := []string{"0routes[0].failures.X", "0routes[0].failures.Z"}; !slices.Equal(keys, want) {
		t.Errorf("blamed are %q:\n%v", keys, err)
	}
}
