package temporalpath_test

import (
	"testing"
	"time"

	"sluice/rollout"
)

// A document may be called anything; what names it in a header must not keep it
// from Temporal.
func TestAnyDocIDRunsOnTemporal(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated"} {
		for _, id := range []string{"Zoë", "日本/1", "a\tb\u0001c", "naïve " + route} {
			doc := document(route, id, order{})
			if err := rollout.CheckDocID(id); err != nil {
				t.Fatal(err)
			}
			run, err := f.path.Run(t.Context(), doc, 20*time.Second)
			if err != nil || run.State != rollout.RunCompleted {
				t.Errorf("%s %q: %v, %v", route, id, run.State, err)
				continue
			}
			if found, ok, err := f.path.Lookup(t.Context(), route, run.WorkflowID); err != nil || !ok || found.State != rollout.RunCompleted {
				t.Errorf("%s %q is not found again: %v, %v, %v", route, id, found.State, ok, err)
			}
			if held, err := f.path.Fence(t.Context(), run.WorkflowID); err != nil || !held {
				t.Errorf("%s %q: fenced: %v, %v", route, id, held, err)
			}
		}
	}
}
