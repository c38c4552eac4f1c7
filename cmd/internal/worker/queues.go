package worker

import (
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/shadowruns"
)

// queues are the SDK's workers, one a task queue, all of one version.
type queues []sdk.Worker

// Start starts all of them, or none.
func (q queues) Start() error {
	for i, worker := range q {
		if err := worker.Start(); err != nil {
			q[:i].Stop()
			return err
		}
	}
	return nil
}

// Stop lets each finish the activities under way, for stopTimeout.
func (q queues) Stop() {
	for _, worker := range q {
		worker.Stop()
	}
}

// newQueues returns a worker for real documents and, if the configuration asks for
// it, one for shadow runs. Neither has the other's stores: whatever is sent to the
// wrong one is refused.
func (w *Worker) newQueues() (queues, error) {
	real, shadow := w.ingestion, w.ingestion
	real.Shadow, shadow.Stores = stores.Set{}, stores.Set{}
	all := queues{w.newWorker(w.config.TaskQueue)}
	var reads []string // claim checks
	if w.claimCheck != nil {
		reads = []string{w.claimCheck.Name()}
	}
	ingestion.RegisterSupport(all[0], w.buildID, reads)
	if err := ingestion.Register(all[0], real); err != nil || w.config.ShadowTaskQueue == "" {
		return all, err
	}
	mirrored := w.newWorker(w.config.ShadowTaskQueue)
	ingestion.RegisterShadowSupport(mirrored, w.buildID, reads)
	shadowruns.Register(mirrored)
	return append(all, mirrored), ingestion.Register(mirrored, shadow)
}

// newWorker returns a worker of this version that has no workflow yet.
func (w *Worker) newWorker(queue string) sdk.Worker {
	behavior := workflow.VersioningBehaviorPinned
	if w.config.Deployment.Behavior == "auto-upgrade" {
		behavior = workflow.VersioningBehaviorAutoUpgrade
	}
	return sdk.New(w.client, queue, sdk.Options{
		WorkerStopTimeout:        stopTimeout,
		DeadlockDetectionTimeout: decodeTimeout,
		DeploymentOptions: sdk.DeploymentOptions{
			UseVersioning:             true,
			Version:                   sdk.WorkerDeploymentVersion{DeploymentName: w.config.Deployment.Name, BuildID: w.buildID},
			DefaultVersioningBehavior: behavior,
		},
	})
}
