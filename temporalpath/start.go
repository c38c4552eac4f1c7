package temporalpath

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
)

// start is one document's start in one life: the same request however often
// and by whomever it is sent.
type start struct {
	route   Route
	request *workflowservice.StartWorkflowExecutionRequest
}

func (p *Path) newStart(ctx context.Context, doc *rollout.Document) (*start, error) {
	route, err := p.route(doc.Route)
	if err != nil {
		return nil, err
	}
	input, err := p.encode(ctx, doc)
	if err != nil {
		return nil, err
	}
	id := p.config.IDs.Of(doc.Identity(), doc.Intent, doc.Life)
	request := &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               id,
		RequestId:                requestID(id),
		WorkflowType:             &commonpb.WorkflowType{Name: route.WorkflowType},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: route.TaskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                    input,
		Memo:                     memo(doc, nil),
		Identity:                 p.identity,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}
	if doc.Delay > 0 {
		request.WorkflowStartDelay = durationpb.New(doc.Delay)
	}
	if route.ExecutionTimeout > 0 { // Temporal counts it from the start, not from the delay's end
		request.WorkflowExecutionTimeout = durationpb.New(doc.Delay + route.ExecutionTimeout)
	}
	return &start{route: route, request: request}, nil
}

func requestID(workflowID string) string {
	sum := sha256.Sum256([]byte(workflowID))
	return hex.EncodeToString(sum[:16])
}

// standing is what Temporal says of a run when it acknowledges a start.
type standing struct {
	runID string
	// closed: the run had ended before the start was sent.
	closed bool
	// found: the run was not started by this request. It may be a tombstone.
	found bool
}

// acknowledge makes one bounded attempt to start the workflow without waiting
// for it. A run that exists already is an acknowledgement too. The error wraps
// rollout.ErrNotAccepted or ErrAmbiguous.
func (p *Path) acknowledge(ctx context.Context, s *start) (standing, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	ctx, left := withSent(ctx)
	response, err := p.service.StartWorkflowExecution(ctx, s.request)
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	switch {
	case err == nil:
		return standing{response.RunId, isClosed(response.Status), !response.Started}, nil
	case errors.As(err, &exists):
		return standing{exists.RunId, true, true}, nil
	}
	return standing{}, judge(err, left.any.Load())
}

func isClosed(status enumspb.WorkflowExecutionStatus) bool {
	return status != enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED &&
		status != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}
