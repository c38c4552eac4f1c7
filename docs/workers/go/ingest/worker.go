package ingest

import (
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Config is what a worker needs to know. All fields are needed.
type Config struct {
	TaskQueue string
	// Deployment and BuildID name the worker's version.
	Deployment, BuildID string
	// Store is the directory that documents are stored in.
	Store string
}

// doc:begin versions

// NewWorker returns the worker of a real task queue.
func NewWorker(c client.Client, config Config) worker.Worker {
	w := worker.New(c, config.TaskQueue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: config.Deployment, BuildID: config.BuildID},
		DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}})
	w.RegisterWorkflow(IngestInvoice)
	w.RegisterWorkflow(IngestScan)
	w.RegisterWorkflowWithOptions(func(workflow.Context) (Support, error) {
		return Support{Types: []string{"IngestInvoice", "IngestScan"}, Updates: []string{"IngestInvoice"}, BuildID: config.BuildID}, nil
	}, workflow.RegisterOptions{Name: "sluice.worker-support"})
	w.RegisterActivity(&Store{Directory: config.Store})
	return w
}

// doc:end versions
