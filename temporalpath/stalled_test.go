package temporalpath_test

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// A run whose workflow task fails again and again is still running, and says why.
func TestARunWhoseTaskFailsAgainAndAgainSaysSo(t *testing.T) {
	f := newFixture(t, nil)
	w := worker.New(f.client, queue, worker.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context, wire.Input) (string, error) { panic("a plain error") }, workflow.RegisterOptions{Name: "Plain"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	run := f.run(t, document("Plain", "failing", order{}), 0)
	until(t, "it says why", func() bool {
		now, found, err := f.path.Lookup(t.Context(), "Plain", run.WorkflowID)
		if err != nil || !found || now.State != rollout.RunRunning {
			t.Fatalf("%+v, %v, %v", now, found, err)
		}
		return strings.HasPrefix(now.Stalled, "its workflow task failed ") && strings.Contains(now.Stalled, " times: a plain error")
	})

	// What Temporal holds back has no task yet, that a worker could take.
	_, held := f.held(t, "Plain", "held", time.Hour, order{})
	described, err := f.client.DescribeWorkflowExecution(t.Context(), held, "")
	if err != nil || described.GetPendingWorkflowTask() != nil {
		t.Errorf("%v, %v", described.GetPendingWorkflowTask(), err)
	}
}
