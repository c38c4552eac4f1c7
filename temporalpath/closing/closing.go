// Package closing waits for the event that closes a workflow, however many runs the
// workflow continues in.
package closing

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// A long poll is cut into slices, because the server now and then drops the
// notification that would end it: then the next slice finds the event.
const (
	firstSlice = 500 * time.Millisecond
	lastSlice  = 8 * time.Second
)

// ErrOpen says that the workflow has not ended.
var ErrOpen = errors.New("the workflow is running")

// Watch asks a Temporal for events.
type Watch struct {
	Service   workflowservice.WorkflowServiceClient
	Namespace string
}

// Await waits until the workflow ends or ctx does, and returns ErrOpen then. A call
// that fails is repeated: the run exists, so only the wait can end this.
func (w Watch) Await(ctx context.Context, execution *commonpb.WorkflowExecution) (*historypb.HistoryEvent, error) {
	for slice := firstSlice; ; slice = min(2*slice, lastSlice) {
		poll, cancel := SliceOf(ctx, slice)
		event, err := w.Event(poll, execution, true)
		cut := poll.Err() != nil
		cancel()
		switch {
		case err == nil:
			return event, nil
		case ctx.Err() != nil:
			return nil, ErrOpen
		case !errors.Is(err, ErrOpen) && !cut:
			Pause(ctx, firstSlice) // Temporal failed at once; it may be away
		}
	}
}

// Event returns the event. It returns ErrOpen if there is none, at once or, if wait is
// set, when the server tires of waiting; else it fails with Temporal's error.
func (w Watch) Event(ctx context.Context, execution *commonpb.WorkflowExecution, wait bool) (*historypb.HistoryEvent, error) {
	request := &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace:              w.Namespace,
		Execution:              execution,
		WaitNewEvent:           wait,
		HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
		SkipArchival:           true,
	}
	for {
		response, err := w.Service.GetWorkflowExecutionHistory(ctx, request)
		if err != nil {
			return nil, err
		}
		for _, event := range response.History.GetEvents() {
			switch event.EventType {
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
				enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
				return event, nil
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
				next := event.GetWorkflowExecutionContinuedAsNewEventAttributes().NewExecutionRunId
				return w.Event(ctx, &commonpb.WorkflowExecution{WorkflowId: execution.WorkflowId, RunId: next}, wait)
			}
		}
		if len(response.NextPageToken) == 0 || !wait {
			return nil, ErrOpen
		}
		request.NextPageToken = response.NextPageToken
	}
}

// SliceOf returns a context that is cancelled after d or when ctx ends, and carries
// no deadline for gRPC to send along: near its end the server would answer a poll
// empty, again and again.
func SliceOf(ctx context.Context, d time.Duration) (context.Context, func()) {
	poll, cancel := context.WithCancel(context.WithoutCancel(ctx))
	timer := time.AfterFunc(d, cancel)
	stop := context.AfterFunc(ctx, cancel)
	return poll, func() { timer.Stop(); stop(); cancel() }
}

// Pause waits for d, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
