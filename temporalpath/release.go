package temporalpath

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// Release lets a run begin whose start Temporal holds back. It does nothing to a
// run that has ended, and no harm to one that has begun; so it can be repeated. It
// fails with rollout.ErrFenced if Temporal has no run of the life any more, or
// with Temporal's error, and then the run may or may not have been released.
//
// A plain signal is put off with the start. The signal of a SignalWithStart is
// not; and what that would start, if there were nothing to release, is a
// tombstone.
func (p *Path) Release(ctx context.Context, workflowID string) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	response, err := p.service.SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               workflowID,
		RequestId:                requestID(workflowID + "#" + wire.BeginSignal),
		SignalName:               wire.BeginSignal,
		WorkflowType:             &commonpb.WorkflowType{Name: TombstoneType},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: tombstoneQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Identity:                 p.identity,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowExecutionTimeout: durationpb.New(tombstoneExpiry),
	})
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case errors.As(err, &exists):
		return nil // it has ended
	case err == nil && response.Started:
		return rollout.ErrFenced
	}
	return err
}
