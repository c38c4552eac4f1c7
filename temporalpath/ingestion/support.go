package ingestion

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/wire"
)

// RegisterShadowSupport declares shadow support for the ingestion workflow, as
// [wire.ShadowSupport] describes. It belongs on a task queue whose worker was
// registered without real stores, and for batches of shadow runs.
func RegisterShadowSupport(registry worker.WorkflowRegistry, buildID string) {
	answer := func(workflow.Context) (wire.Support, error) {
		return wire.Support{Types: []string{WorkflowType}, BuildID: buildID, Batches: true}, nil
	}
	registry.RegisterWorkflowWithOptions(answer, workflow.RegisterOptions{Name: wire.ShadowSupport})
}
