package configs_test

import (
	"strings"
	"testing"
	"time"
)

// routeWith is a configuration of one route with more keys of its own.
func routeWith(workflow, more string) string {
	return "routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: none, workflow: {type: T, task_queue: q" + workflow + "}" + more + "}]\n"
}

func TestHandedOnFields(t *testing.T) {
	if _, err := load(t, routeWith("", ", headers: [x-priority, Content-Language]")); err != nil {
		t.Error(err)
	}
	for headers, want := range map[string]string{
		"[traceparent]":            "differs from one attempt",
		"[X-Priority, x-priority]": "is there twice",
		"['a b']":                  "is not the name of a field",
	} {
		if _, err := load(t, routeWith("", ", headers: "+headers)); err == nil || !strings.Contains(err.Error(), "routes[0].headers") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", headers, err)
		}
	}
}

// A workflow that cannot get on is ended, whatever the route leaves out.
func TestEveryWorkflowEnds(t *testing.T) {
	for workflow, want := range map[string]time.Duration{
		"": 24 * time.Hour, ", execution_timeout: 0s": 24 * time.Hour, ", execution_timeout: 720h": 720 * time.Hour,
	} {
		c, err := load(t, routeWith(workflow, ""))
		if err != nil || c.Routes[0].Workflow.ExecutionTimeout.Std() != want || c.Routes[0].Workflow.Body != "auto" {
			t.Errorf("%q: %+v, %v", workflow, c.Routes[0].Workflow, err)
		}
	}
	for workflow, want := range map[string]string{", execution_timeout: -1s": "execution_timeout", ", body: base64": "not one of auto, json, bytes"} {
		if _, err := load(t, routeWith(workflow, "")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", workflow, err)
		}
	}
}
