package temporalpath

import (
	"context"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/wire"
)

// updateID is the same for every request for a run's result, so that all of
// them share one update.
const updateID = "sluice-result"

var untilCompleted = &updatepb.WaitPolicy{
	LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
}

// errUpdate says that the start may have succeeded and the update did not. The
// run's close event tells then: an update's failure may be the workflow's own,
// but also that the type does not offer the update, or closed too early.
var errUpdate = errors.New("the update did not answer")

// startAndUpdate starts the workflow and waits for its result, in one call, for
// as long as ctx lasts. ctx must carry no deadline.
//
// It returns the run; or, with closing.ErrOpen, a run that was acknowledged and is not
// finished; or an error that wraps rollout.ErrNotAccepted, ErrAmbiguous or
// errUpdate.
func (p *Path) startAndUpdate(ctx context.Context, s *start) (standing, rollout.Run, error) {
	ctx, left := withSent(ctx)
	response, err := p.service.ExecuteMultiOperation(ctx, p.multiOperation(s))
	if err != nil {
		err = unwrapMulti(err, left.any.Load())
		return standing{}, rollout.Run{}, err
	}
	if len(response.Responses) != 2 {
		return standing{}, rollout.Run{}, fmt.Errorf("%w: %d answers to two operations", errUpdate, len(response.Responses))
	}
	started := response.Responses[0].GetStartWorkflow()
	at := standing{started.GetRunId(), isClosed(started.GetStatus()), !started.GetStarted()}
	run, err := p.updated(ctx, s, at.runID, response.Responses[1].GetUpdateWorkflow().GetOutcome())
	return at, run, err
}

func unwrapMulti(err error, left bool) error {
	begun := startError(err)
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	if begun == nil || errors.As(begun, &exists) {
		return fmt.Errorf("%w: %w", errUpdate, err)
	}
	return judge(begun, left)
}

// updated waits for the update's outcome where it was not in the first answer.
func (p *Path) updated(ctx context.Context, s *start, runID string, outcome *updatepb.Outcome) (rollout.Run, error) {
	for outcome == nil {
		response, err := p.service.PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
			Namespace: p.config.Namespace,
			UpdateRef: &updatepb.UpdateRef{
				WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: s.request.WorkflowId, RunId: runID},
				UpdateId:          updateID,
			},
			Identity:   p.identity,
			WaitPolicy: untilCompleted,
		})
		switch {
		case ctx.Err() != nil:
			return rollout.Run{}, closing.ErrOpen
		case err != nil:
			return rollout.Run{}, fmt.Errorf("%w: %w", errUpdate, err)
		}
		outcome = response.Outcome
	}
	if failure := outcome.GetFailure(); failure != nil {
		return rollout.Run{}, fmt.Errorf("%w: %s", errUpdate, failure.Message)
	}
	return p.completed(ctx, s.route, s.request.WorkflowId, outcome.GetSuccess()), nil
}

func (p *Path) multiOperation(s *start) *workflowservice.ExecuteMultiOperationRequest {
	id := s.request.WorkflowId
	// Under the plain start's request ID the server would take a closed run for
	// the answer to this start, find no update to wait for, and try for half a
	// second; under another it says at once that the run exists.
	begin := proto.CloneOf(s.request)
	begin.RequestId = requestID(id + "#update")
	update := &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace:         p.config.Namespace,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id},
		WaitPolicy:        untilCompleted,
		Request: &updatepb.Request{
			Meta:  &updatepb.Meta{UpdateId: updateID, Identity: p.identity},
			Input: &updatepb.Input{Name: wire.ResultUpdate},
		},
	}
	return &workflowservice.ExecuteMultiOperationRequest{
		Namespace:  p.config.Namespace,
		ResourceId: "workflow:" + id,
		Operations: []*workflowservice.ExecuteMultiOperationRequest_Operation{
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_StartWorkflow{StartWorkflow: begin}},
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{UpdateWorkflow: update}},
		},
	}
}
