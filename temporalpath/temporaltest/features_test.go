package temporaltest_test

import (
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/temporaltest"
)

// answerUpdate offers its result through the update "result".
func answerUpdate(ctx workflow.Context) error {
	answered := false
	err := workflow.SetUpdateHandler(ctx, "result", func(workflow.Context) (string, error) {
		answered = true
		return "answered", nil
	})
	if err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return answered })
}

func TestServerOffersUpdateWithStart(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	w := worker.New(c, taskQueue, worker.Options{})
	w.RegisterWorkflow(answerUpdate)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	start := c.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: "update", TaskQueue: taskQueue,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, answerUpdate)
	update, err := c.UpdateWithStartWorkflow(deadline(t), client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: start,
		UpdateOptions:          client.UpdateWorkflowOptions{UpdateName: "result", WaitForStage: client.WorkflowUpdateStageCompleted},
	})
	if err != nil {
		t.Fatal(err)
	}
	var text string
	if err := update.Get(deadline(t), &text); err != nil || text != "answered" {
		t.Errorf("%q, %v", text, err)
	}
}

// A version that is replaced must be seen to drain within a test's patience.
func TestServerOffersWorkerDeployments(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	startVersion(t, c, "v1")
	startVersion(t, c, "v2")
	setCurrent(t, c, "v1")
	if got := result(t, execute(t, c, "on-v1", greet, "v1")); got != "hello v1" {
		t.Errorf("result %q", got)
	}
	setCurrent(t, c, "v2")
	deployment, ctx := c.WorkerDeploymentClient().GetHandle("ingestion"), deadline(t)
	for {
		v1, err := deployment.DescribeVersion(ctx, client.WorkerDeploymentDescribeVersionOptions{BuildID: "v1"})
		if err != nil {
			t.Fatalf("waiting for v1 to drain: %v", err)
		}
		if drainage := v1.Info.DrainageInfo; drainage != nil && drainage.DrainageStatus == client.WorkerDeploymentVersionDrainageStatusDrained {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func startVersion(t *testing.T, c client.Client, buildID string) {
	t.Helper()
	w := worker.New(c, taskQueue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: "ingestion", BuildID: buildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}})
	w.RegisterWorkflow(greet)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

// setCurrent repeats until the server has seen a worker of the version poll.
func setCurrent(t *testing.T, c client.Client, buildID string) {
	t.Helper()
	ctx := deadline(t)
	for {
		_, err := c.WorkerDeploymentClient().GetHandle("ingestion").SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: buildID})
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("setting %s current: %v", buildID, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
