package temporalpath

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"sluice/rollout"
)

// A long poll is cut into slices, because the server now and then drops the
// notification that would end it: then the next slice finds the result.
const (
	firstSlice = 500 * time.Millisecond
	lastSlice  = 8 * time.Second
)

// errOpen says that the run has not ended.
var errOpen = errors.New("the workflow is running")

// follow waits until the run ends or ctx does, and returns errOpen then. A call
// that fails is repeated: the run exists, so only the wait can end this, or the
// finding that it is a tombstone: rollout.ErrFenced.
func (p *Path) follow(ctx context.Context, route Route, id, runID string) (rollout.Run, error) {
	for slice := firstSlice; ; slice = min(2*slice, lastSlice) {
		poll, cancel := sliceOf(ctx, slice)
		run, err := p.closeEvent(poll, route, id, runID, true)
		cancel()
		switch {
		case err == nil, errors.Is(err, rollout.ErrFenced):
			return run, err
		case ctx.Err() != nil:
			return rollout.Run{}, errOpen
		case !errors.Is(err, errOpen) && poll.Err() == nil:
			pause(ctx, firstSlice) // Temporal failed at once; it may be away
		}
	}
}

// sliceOf returns a context that is cancelled after d or when ctx ends, and
// carries no deadline for gRPC to send along.
func sliceOf(ctx context.Context, d time.Duration) (context.Context, func()) {
	poll, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := time.AfterFunc(d, cancel)
	stop := context.AfterFunc(ctx, cancel)
	return poll, func() { timer.Stop(); stop(); cancel() }
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// closeEvent reads how the run ended. It returns errOpen if it has not, at once
// or, if wait is set, when the server tires of waiting. A run that continued as
// new is followed into the next one.
func (p *Path) closeEvent(ctx context.Context, route Route, id, runID string, wait bool) (rollout.Run, error) {
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace:              p.config.Namespace,
		Execution:              &commonpb.WorkflowExecution{WorkflowId: id, RunId: runID},
		WaitNewEvent:           wait,
		HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
		SkipArchival:           true,
	}
	for {
		response, err := p.service.GetWorkflowExecutionHistory(ctx, request)
		if err != nil {
			return rollout.Run{}, err
		}
		for _, event := range response.History.GetEvents() {
			// The slice bounds the wait for the event, not the reading of a
			// large result.
			run, next, ok := p.ending(context.WithoutCancel(ctx), route, id, event)
			run.Closed = event.GetEventTime().AsTime()
			switch {
			case ok && run.Failure.Type == rollout.FailureTimeout:
				return run, p.unlessTombstone(ctx, request.Execution)
			case ok:
				return run, nil
			case next != "":
				return p.closeEvent(ctx, route, id, next, wait)
			}
		}
		if len(response.NextPageToken) == 0 || !wait {
			return rollout.Run{}, errOpen
		}
		request.NextPageToken = response.NextPageToken
	}
}

// ending reads one event: the run if the event closes it, or the ID of the run
// that goes on in its place.
func (p *Path) ending(ctx context.Context, route Route, id string, event *historypb.HistoryEvent) (run rollout.Run, next string, ok bool) {
	switch event.EventType {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		a := event.GetWorkflowExecutionCompletedEventAttributes()
		return p.completed(ctx, route, id, a.Result), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		a := event.GetWorkflowExecutionFailedEventAttributes()
		return failed(route, id, a.Failure), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		return ended(id, rollout.FailureTimeout), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		return ended(id, rollout.FailureCanceled), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		return ended(id, rollout.FailureTerminated), "", true
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
		return rollout.Run{}, event.GetWorkflowExecutionContinuedAsNewEventAttributes().NewExecutionRunId, false
	}
	return rollout.Run{}, "", false
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
	ctx, cancel := sliceOf(ctx, wait)
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
	info, err := p.describe(ctx, &commonpb.WorkflowExecution{WorkflowId: workflowID})
	if err == nil && isClosed(info.GetStatus()) {
		run, err = p.closeEvent(ctx, route, workflowID, info.GetExecution().GetRunId(), false)
	}
	var notFound *serviceerror.NotFound
	if errors.As(err, &notFound) {
		return rollout.Run{}, false, nil
	}
	return run, err == nil, err
}
