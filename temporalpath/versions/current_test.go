package versions_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/temporaltest"
	"sluice/temporalpath/versions"
)

const (
	deployment = "ingestion"
	taskQueue  = "versions"
)

// whoRan is a workflow that answers with the build that it ran on.
const whoRan = "who-ran"

func dial(t *testing.T) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: temporaltest.Start(t).Frontend,
		Logger:   log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func startVersion(t *testing.T, c client.Client, buildID string) {
	t.Helper()
	w := worker.New(c, taskQueue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: deployment, BuildID: buildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}})
	w.RegisterWorkflowWithOptions(func(workflow.Context) (string, error) { return buildID, nil }, workflow.RegisterOptions{Name: whoRan})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// ranOn starts a workflow and returns the build that took it.
func ranOn(t *testing.T, c client.Client, id string) (build string) {
	t.Helper()
	run, err := c.ExecuteWorkflow(deadline(t), client.StartWorkflowOptions{ID: id, TaskQueue: taskQueue}, whoRan)
	if err == nil {
		err = run.Get(deadline(t), &build)
	}
	if err != nil {
		t.Fatal(err)
	}
	return build
}

// A version becomes current once a worker polls for it, not before, and new
// workflows go to it from then on.
func TestCurrentOnceAWorkerPolls(t *testing.T) {
	t.Parallel()
	c := dial(t)
	for _, build := range []string{"v1", "v2"} {
		refused(t, c, build)
		made := make(chan error, 1)
		go func() { made <- versions.MakeCurrent(deadline(t), c, deployment, build) }()
		select {
		case err := <-made:
			t.Fatalf("%s has no worker, and MakeCurrent returned %v", build, err)
		case <-time.After(time.Second): // several attempts
		}
		startVersion(t, c, build)
		if err := <-made; err != nil {
			t.Fatal(err)
		}
		if got := ranOn(t, c, "on-"+build); got != build {
			t.Errorf("%s is current, and a new workflow ran on %s", build, got)
		}
	}
	if err := versions.MakeCurrent(deadline(t), c, deployment, "v2"); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

// refused checks that Temporal itself does not take the build as it is.
func refused(t *testing.T, c client.Client, build string) {
	t.Helper()
	handle := c.WorkerDeploymentClient().GetHandle(deployment)
	if _, err := handle.SetCurrentVersion(deadline(t), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build}); err == nil {
		t.Fatalf("Temporal takes %s, for which no worker polls", build)
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	c := dial(t)
	for pause := time.Second; ; pause *= 3 { // an attempt or more; on a busy machine that takes longer
		ctx, cancel := context.WithCancelCause(t.Context())
		made := make(chan error, 1)
		go func() { made <- versions.MakeCurrent(ctx, c, deployment, "absent") }()
		time.Sleep(pause)
		cancel(nil)
		select {
		case err := <-made:
			var cause *serviceerror.NotFound
			told := errors.As(err, &cause) || strings.Contains(err.Error(), "no such version")
			if errors.Is(err, context.Canceled) && !told && pause < 20*time.Second {
				continue
			}
			if !errors.Is(err, context.Canceled) || !told {
				t.Errorf("got %v, want ctx's error and Temporal's", err)
			}
			return
		case <-time.After(time.Minute):
			t.Fatal("MakeCurrent goes on after its context has ended")
		}
	}
}

// What Temporal will never take is not asked for again.
func TestInvalidNameFailsAtOnce(t *testing.T) {
	t.Parallel()
	c := dial(t)
	for _, name := range []struct{ deployment, build string }{
		{"with:colon", "v1"}, {"__reserved", "v1"}, {"with.dot", "v1"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := versions.MakeCurrent(ctx, c, name.deployment, name.build)
		if err == nil || ctx.Err() != nil {
			t.Errorf("deployment %q, build %q: got %v, want a refusal before the minute is over", name.deployment, name.build, err)
		} else if !strings.Contains(err.Error(), name.deployment) || !strings.Contains(err.Error(), name.build) {
			t.Errorf("the error names not what was asked for: %v", err)
		}
		cancel()
	}
}
