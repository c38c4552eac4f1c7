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
