package ingestion

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/wire"
)

// RegisterSupport declares on a real task queue what its worker can, as
// [wire.WorkerSupport] describes. claimCheck names the storage drivers that it reads.
func RegisterSupport(registry worker.WorkflowRegistry, buildID string, claimCheck []string) {
	register(registry, wire.WorkerSupport, wire.Support{BuildID: buildID, ClaimCheck: claimCheck})
}

// RegisterShadowSupport is RegisterSupport for a shadow task queue, as
// [wire.ShadowSupport] describes: its worker was registered without real stores, and for
// batches of shadow runs.
func RegisterShadowSupport(registry worker.WorkflowRegistry, buildID string, claimCheck []string) {
	register(registry, wire.ShadowSupport, wire.Support{BuildID: buildID, ClaimCheck: claimCheck, Batches: true})
}

func register(registry worker.WorkflowRegistry, question string, s wire.Support) {
	s.Types, s.Updates = []string{WorkflowType}, []string{WorkflowType}
	answer := func(workflow.Context) (wire.Support, error) { return s, nil }
	registry.RegisterWorkflowWithOptions(answer, workflow.RegisterOptions{Name: question})
}
