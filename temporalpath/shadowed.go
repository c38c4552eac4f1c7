package temporalpath

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"sluice/rollout"
	"sluice/temporalpath/closing"
)

// loadTimeout is how long the reading of a result may take that is kept elsewhere.
const loadTimeout = 30 * time.Second

// Shadowed waits, at most for wait, for the end of the document's shadow run of an
// arm that was started before: Shadow has failed with rollout.ErrDuplicate. took is
// how long the run took, by Temporal's clock. The run is RunRunning if it has not
// ended by then. It fails with Temporal's error if it cannot be asked, or if the result
// cannot be read now.
func (p *Path) Shadowed(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (run rollout.Run, took time.Duration, err error) {
	route, err := p.route(doc.Route)
	if err != nil {
		return rollout.Run{}, 0, err
	}
	execution := &commonpb.WorkflowExecution{WorkflowId: p.config.IDs.OfShadow(doc.Identity(), doc.Intent, arm)}
	waiting, cancel := closing.SliceOf(ctx, wait)
	defer cancel()
	switch run, err = p.shadowEnd(waiting, route, execution); {
	case err != nil:
		return rollout.Run{}, 0, err
	case run.State == rollout.RunRunning:
		return run, wait, nil
	}
	asking, stop := context.WithTimeout(ctx, p.config.StartTimeout)
	defer stop()
	described, err := p.describe(asking, execution)
	if err != nil {
		return rollout.Run{}, 0, err
	}
	info := described.GetWorkflowExecutionInfo()
	return run, info.GetCloseTime().AsTime().Sub(info.GetStartTime().AsTime()), nil
}

// shadowEnd waits for the end of a shadow run until ctx ends; it is RunRunning then. It
// fails if the result cannot be read.
func (p *Path) shadowEnd(ctx context.Context, route Route, execution *commonpb.WorkflowExecution) (rollout.Run, error) {
	event, err := p.closing().Await(ctx, execution)
	switch {
	case errors.Is(err, closing.ErrOpen):
		return rollout.Run{WorkflowID: execution.WorkflowId, State: rollout.RunRunning}, nil
	case err != nil:
		return rollout.Run{}, err
	}
	return p.shadowRead(context.WithoutCancel(ctx), loadTimeout, route, execution.WorkflowId, event)
}

// shadowRead reads how a shadow run ended. It fails if its result is kept elsewhere and
// cannot be had in time: that says nothing of the run.
func (p *Path) shadowRead(ctx context.Context, timeout time.Duration, route Route, id string, event *historypb.HistoryEvent) (rollout.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if result := event.GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads(); len(result) > 0 {
		loaded, err := p.load(ctx, result[0])
		if err != nil {
			return rollout.Run{}, err
		}
		result[0] = loaded
	}
	run := p.ending(ctx, route, id, event)
	run.Closed = event.GetEventTime().AsTime()
	return run, nil
}
