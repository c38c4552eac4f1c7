package temporalpath

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
)

// A tombstone is a run that does nothing, under the workflow ID of a life whose
// start may still be on its way: because duplicates are refused, the start can
// then never win. Its type tells it from the life's own run; nobody works on its
// task queue, and Temporal ends it after a second.
const (
	TombstoneType   = "sluice.tombstone"
	tombstoneQueue  = "sluice-tombstones"
	tombstoneExpiry = time.Second
)

// Fence makes sure that nothing is ever started under the workflow ID, unless
// something was. held: Temporal has a run of it; it is the life's own. Both
// answers are final as long as Temporal remembers the ID, for which see the
// namespace's retention. It fails with Temporal's error if it cannot be asked;
// then the fence may or may not be there, and a repeat finds out.
func (p *Path) Fence(ctx context.Context, workflowID string) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	_, err = p.service.StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               workflowID,
		RequestId:                requestID(workflowID + "#tombstone"),
		WorkflowType:             &commonpb.WorkflowType{Name: TombstoneType},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: tombstoneQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Identity:                 p.identity,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionTimeout: durationpb.New(tombstoneExpiry),
	})
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	if !errors.As(err, &exists) {
		return false, err
	}
	err = p.unlessTombstone(ctx, &commonpb.WorkflowExecution{WorkflowId: workflowID})
	if errors.Is(err, rollout.ErrFenced) {
		return false, nil
	}
	return err == nil, err
}

// unlessTombstone returns nil for a run of the life's own, rollout.ErrFenced for
// a tombstone, or Temporal's error.
func (p *Path) unlessTombstone(ctx context.Context, execution *commonpb.WorkflowExecution) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.config.StartTimeout)
	defer cancel()
	_, err := p.describe(ctx, execution)
	return err
}

// describe returns what Temporal knows of a run of the life's own. It fails with
// rollout.ErrFenced for a tombstone, or with Temporal's error.
func (p *Path) describe(ctx context.Context, execution *commonpb.WorkflowExecution) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	described, err := p.service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: p.config.Namespace, Execution: execution,
	})
	if err != nil {
		return nil, err
	}
	if described.GetWorkflowExecutionInfo().GetType().GetName() == TombstoneType {
		return nil, fmt.Errorf("%w: %w", rollout.ErrNotAccepted, rollout.ErrFenced)
	}
	return described, nil
}

// Retention returns how long Temporal remembers a closed run. It fails with
// Temporal's error.
func (p *Path) Retention(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	described, err := p.service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: p.config.Namespace})
	if err != nil {
		return 0, err
	}
	return described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}
