package configs_test

import (
	"strings"
	"testing"
)

// Nothing that is configured may send a mirrored run to where real ones go.
func TestShadowsAreKeptApart(t *testing.T) {
	route := func(workflow string) string {
		return "routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: none, workflow: {type: T, " + workflow + "}}]\n"
	}
	for name, test := range map[string]struct{ text, want string }{
		"the route's own queue":   {route("task_queue: q, shadow_task_queue: q"), `routes[0].workflow.shadow_task_queue: "q" is routes[0].workflow.task_queue too`},
		"the worker's real queue": {route("task_queue: q, shadow_task_queue: ingestion"), "is worker.task_queue too"},
		"the worker's, of a route": {route("task_queue: q") + "worker: {shadow_task_queue: q}\n",
			`worker.shadow_task_queue: "q" is routes[0].workflow.task_queue too`},
		"a real store":              {"worker:\n  stores: {graph: 'sqlite:g.db'}\n  shadow_stores: {graph: 'sqlite:g.db'}\n", "line 3: worker.shadow_stores.graph: is worker.stores.graph"},
		"no store":                  {"worker:\n  shadow_stores: {cache: ''}\n", `worker.shadow_stores.cache: must not be empty; a worker without shadow stores has worker.shadow_task_queue: ""`},
		"the shadows' IDs":          {"temporal: {prefix: shadow}\n", "temporal.prefix"},
		"an ID among the shadows'":  {"temporal: {prefix: shadow/ingest}\n", "temporal.prefix"},
		"one that only begins so":   {"temporal: {prefix: shadows}\n", ""},
		"a short workflow ID":       {"temporal: {max_workflow_id: 254}\n", "temporal.max_workflow_id: must be from 255"},
		"a long workflow ID":        {"temporal: {max_workflow_id: 1001}\n", "to 1000"},
		"longer workflow IDs":       {"temporal: {max_workflow_id: 1000}\n", ""},
		"places that are no body's": {"shadow: {compare: {headers: [Location, X-A], ignore: [status, 'header: Location', 'header:ETag'], noise: ['header:X-A']}, redact: ['header:X-A']}\n", ""},
		"no field":                  {"shadow: {compare: {ignore: ['header:a b']}}\n", `shadow.compare.ignore[0]: "header:a b" is no header field`},
		"no field's name":           {"shadow: {compare: {headers: ['']}}\n", "shadow.compare.headers[0]"},
		"a field has no order":      {"shadow: {compare: {sets: [status]}}\n", "shadow.compare.sets[0]"},
		"a worker without shadows":  {"worker:\n  shadow_task_queue: ''\n  shadow_stores: {cache: ''}\n", ""},
		"a route that has no queue": {route("task_queue: q"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, test.text)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("got %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}
