package configs_test

import (
	"strings"
	"testing"
)

// What is wrong with the rules of a comparison, or with a gate, is named with its
// line.
func TestMirrorAndGatesAreChecked(t *testing.T) {
	_, err := load(t, `shadow:
  pairs: 120
  largest: 4MiB
  budget: 1MiB
  compare:
    ignore:
      - /meta/**
      - meta/id
    tolerances:
      - {field: /score}
      - {field: /a~b, absolute: 1}
  redact: [""]
  gather: 0s
gates:
  - name: twice
    command: ["true"]
    webhook: http://ci/gate
  - name: twice
    prometheus: {url: prometheus, query: up}
routes:
  - {name: a, pattern: /a, doc_id: body:/id, auth: none, workflow: {type: T, task_queue: q}}
`)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{
		"line 2: shadow.pairs: 120",
		"line 4: shadow.budget:",
		`line 8: shadow.compare.ignore[1]: "meta/id" is not a JSON Pointer`,
		"line 10: shadow.compare.tolerances[0]: absolute or relative",
		`line 11: shadow.compare.tolerances[1].field: "/a~b" is not a JSON Pointer`,
		`line 12: shadow.redact[0]: "" is not a JSON Pointer`,
		"line 13: shadow.gather: must be longer than 0s",
		"line 15: gates[0]: say how it is asked: one of",
		"gates[1].name: there are two gates",
		`gates[1].prometheus.url: "prometheus" is not a URL`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not named: %s\nin\n%v", want, err)
		}
	}
}
