package temporalpath

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"

	"sluice/rollout"
	"sluice/temporalpath/closing"
)

// retryPause is between two attempts to learn what an event is that Temporal has
// answered with.
const retryPause = 500 * time.Millisecond

func (p *Path) closing() closing.Watch {
	return closing.Watch{Service: p.service, Namespace: p.config.Namespace}
}

// follow waits until the run ends or ctx does, and returns closing.ErrOpen then. A
// call that fails is repeated: the run exists, so only the wait can end this, or the
// finding that it is a tombstone: rollout.ErrFenced.
func (p *Path) follow(ctx context.Context, route Route, id, runID string) (rollout.Run, error) {
	execution := &commonpb.WorkflowExecution{WorkflowId: id, RunId: runID}
	for {
		event, err := p.closing().Await(ctx, execution)
		if err != nil {
			return rollout.Run{}, err
		}
		// The wait is for the event, not for the reading of a large result.
		loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		run, err := p.closed(loading, route, execution, event)
		cancel()
		switch {
		case err == nil, errors.Is(err, rollout.ErrFenced):
			return run, err
		case ctx.Err() != nil:
			return rollout.Run{}, closing.ErrOpen
		}
		closing.Pause(ctx, retryPause)
	}
}

// closed returns the run that the event closed. It fails with rollout.ErrFenced if
// that was a tombstone, or with Temporal's error.
func (p *Path) closed(ctx context.Context, route Route, execution *commonpb.WorkflowExecution, event *historypb.HistoryEvent) (rollout.Run, error) {
	run := p.ending(ctx, route, execution.WorkflowId, event)
	run.Closed = event.GetEventTime().AsTime()
	if run.Failure.Type == rollout.FailureTimeout {
		return run, p.unlessTombstone(ctx, execution)
	}
	return run, nil
}

// ending reads an event that closes a workflow.
func (p *Path) ending(ctx context.Context, route Route, id string, event *historypb.HistoryEvent) rollout.Run {
	switch event.EventType {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		return p.completed(ctx, route, id, event.GetWorkflowExecutionCompletedEventAttributes().GetResult())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return ended(id, rollout.FailureTimeout)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return ended(id, rollout.FailureCanceled)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return ended(id, rollout.FailureTerminated)
	}
	return p.failed(ctx, route, id, event.GetWorkflowExecutionFailedEventAttributes().GetFailure())
}

// Follow waits for the end of a run that Temporal holds, at most for wait. The run
// is RunRunning if it has not ended by then. It fails with rollout.ErrFenced if
// the ID holds a tombstone.
func (p *Path) Follow(ctx context.Context, routeName, workflowID string, wait time.Duration) (rollout.Run, error) {
	route, err := p.route(routeName)
	if err != nil {
		return rollout.Run{}, err
	}
	running := rollout.Run{WorkflowID: workflowID, State: rollout.RunRunning}
	if wait <= 0 || !p.enter() {
		return running, nil
	}
	defer p.leave()
	ctx, cancel := closing.SliceOf(ctx, wait)
	defer cancel()
	switch run, err := p.follow(ctx, route, workflowID, ""); {
	case err == nil:
		return run, nil
	case errors.Is(err, rollout.ErrFenced):
		return rollout.Run{}, err
	}
	return running, nil
}

// Lookup returns where the document's workflow stands now; false if Temporal
// knows no such workflow. It fails with rollout.ErrFenced if the ID holds a
// tombstone, and with Temporal's error if it cannot be asked.
func (p *Path) Lookup(ctx context.Context, routeName, workflowID string) (rollout.Run, bool, error) {
	route, err := p.route(routeName)
	if err != nil {
		return rollout.Run{}, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	// Asked for the close event of an open run the server waits for it until the
	// deadline, wanted or not.
	run := rollout.Run{WorkflowID: workflowID, State: rollout.RunRunning}
	described, err := p.describe(ctx, &commonpb.WorkflowExecution{WorkflowId: workflowID})
	switch info := described.GetWorkflowExecutionInfo(); {
	case err != nil:
	case isClosed(info.GetStatus()):
		run, err = p.read(ctx, route, info.GetExecution())
	default:
		run.Stalled = p.stalled(ctx, described, time.Now())
	}
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return rollout.Run{}, false, nil
	}
	return run, err == nil, err
}

// read returns a run that has ended.
func (p *Path) read(ctx context.Context, route Route, execution *commonpb.WorkflowExecution) (rollout.Run, error) {
	event, err := p.closing().Event(ctx, execution, false)
	if err != nil {
		return rollout.Run{}, err
	}
	return p.closed(context.WithoutCancel(ctx), route, execution, event)
}
