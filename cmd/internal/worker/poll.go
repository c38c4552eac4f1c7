package worker

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"sluice/temporalpath/ingestion"
)

const (
	// stopTimeout is how long activities may go on once the worker stops.
	stopTimeout = 5 * time.Second
	// decodeTimeout is how long a workflow may think between two yields. The
	// largest documents take more than the SDK's one second to decode on a busy
	// machine.
	decodeTimeout = 10 * time.Second
	// startRetry is the pause between two attempts to reach Temporal.
	startRetry = 250 * time.Millisecond
)

// poll returns the SDK's worker once it polls, which is as soon as Temporal can
// be reached. It fails if ctx ends first, or if the worker cannot be made.
func (w *Worker) poll(ctx context.Context) (sdk.Worker, error) {
	for told := false; ; told = true {
		// A worker that failed to start stays so: each attempt makes a new one.
		attempt, err := w.newWorker()
		if err != nil {
			return nil, err
		}
		if _, err = w.client.CheckHealth(ctx, &client.CheckHealthRequest{}); err == nil {
			err = attempt.Start()
		}
		if err == nil {
			return attempt, nil
		}
		if !told {
			w.options.Log.Info("waiting for Temporal", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(startRetry):
		}
	}
}

// newWorker returns a worker of this version that has the workflow.
func (w *Worker) newWorker() (sdk.Worker, error) {
	behavior := workflow.VersioningBehaviorPinned
	if w.config.Deployment.Behavior == "auto-upgrade" {
		behavior = workflow.VersioningBehaviorAutoUpgrade
	}
	worker := sdk.New(w.client, w.config.TaskQueue, sdk.Options{
		WorkerStopTimeout:        stopTimeout,
		DeadlockDetectionTimeout: decodeTimeout,
		DeploymentOptions: sdk.DeploymentOptions{
			UseVersioning:             true,
			Version:                   sdk.WorkerDeploymentVersion{DeploymentName: w.config.Deployment.Name, BuildID: w.buildID},
			DefaultVersioningBehavior: behavior,
		},
	})
	return worker, ingestion.Register(worker, w.ingestion)
}
