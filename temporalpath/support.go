package temporalpath

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/wire"
)

const (
	// supportWait is how long workers may take to declare shadow support.
	supportWait = 5 * time.Second
	// firstLook and lastLook bound the pause between two looks at the answer.
	firstLook = 20 * time.Millisecond
	lastLook  = 500 * time.Millisecond
)

// Support says whether a route's workers leave the real stores alone in a shadow
// run.
type Support struct {
	// OK: they said so.
	OK bool
	// Reason is why not, for people; empty if OK.
	Reason string
	// Unheard: nobody answered, which says nothing about support. The workers may
	// only be busy.
	Unheard bool
	// BuildID is that of the worker that declared support; may be empty.
	BuildID string
	// Batches: shadow runs may be given to the workers many at a time.
	Batches bool
}

func unsupported(format string, args ...any) Support {
	return Support{Reason: fmt.Sprintf(format, args...)}
}

// ShadowSupport asks the workers of the route's shadow task queue what they serve
// there: see wire.ShadowSupport. It takes some seconds at most, and a minute later
// nothing of it is left in Temporal. It fails with Temporal's error if it cannot be
// asked.
func (p *Path) ShadowSupport(ctx context.Context, routeName string) (Support, error) {
	route, err := p.route(routeName)
	if err != nil {
		return Support{}, err
	}
	queue := route.ShadowTaskQueue
	if queue == "" {
		return unsupported("route %q has no workflow.shadow_task_queue", routeName), nil
	}
	polled, err := p.describeQueue(ctx, queue)
	switch {
	case err != nil:
		return Support{}, err
	case len(polled.GetPollers()) == 0:
		return unsupported("no worker polls the shadow task queue %q", queue), nil
	}
	event, err := p.askWorkers(ctx, queue)
	switch {
	case err != nil:
		return Support{}, err
	case event == nil:
		support := unsupported("%d workers polled the shadow task queue %q, and none answered %s within %s: do they still run, and is their version current?",
			len(polled.GetPollers()), queue, wire.ShadowSupport, supportWait)
		support.Unheard = true
		return support, nil
	}
	return declared(route, event), nil
}

// askWorkers runs the question and returns the event that settles it, nil if there
// is none in time.
func (p *Path) askWorkers(ctx context.Context, queue string) (*historypb.HistoryEvent, error) {
	id := rollout.ShadowSpace + wire.ShadowSupport + "/" + rand.Text()
	starting, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	started, err := p.service.StartWorkflowExecution(starting, &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               id,
		RequestId:                requestID(id),
		WorkflowType:             &commonpb.WorkflowType{Name: wire.ShadowSupport},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Identity:                 p.identity,
		WorkflowExecutionTimeout: durationpb.New(supportWait),
	})
	if err != nil {
		return nil, err
	}
	execution := &commonpb.WorkflowExecution{WorkflowId: id, RunId: started.GetRunId()}
	defer p.forget(ctx, execution)
	asking, stop := closing.SliceOf(ctx, supportWait)
	defer stop()
	for look := firstLook; ; look = min(2*look, lastLook) {
		closing.Pause(asking, look)
		event, err := p.settling(ctx, execution)
		if event != nil || err != nil || asking.Err() != nil {
			return event, err
		}
	}
}

// settling returns the first event of the run that answers the question, or shows
// that it is not answered; nil if there is none yet.
func (p *Path) settling(ctx context.Context, execution *commonpb.WorkflowExecution) (*historypb.HistoryEvent, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	history, err := p.service.GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: p.config.Namespace, Execution: execution, SkipArchival: true,
	})
	for _, event := range history.GetHistory().GetEvents() {
		switch event.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
			return event, nil
		}
	}
	return nil, err
}

// forget deletes the run. One that stays is no harm: it has ended, or will.
func (p *Path) forget(ctx context.Context, execution *commonpb.WorkflowExecution) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.config.StartTimeout)
	defer cancel()
	_, _ = p.service.DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: p.config.Namespace, WorkflowExecution: execution,
	})
}

// declared reads what the event says of the route's type.
func declared(route Route, event *historypb.HistoryEvent) Support {
	queue := route.ShadowTaskQueue
	switch event.EventType {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		return unsupported("a worker of the shadow task queue %q does not declare shadow support, it fails %s: %s",
			queue, wire.ShadowSupport, event.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		return unsupported("%s failed on the shadow task queue %q: %s",
			wire.ShadowSupport, queue, event.GetWorkflowExecutionFailedEventAttributes().GetFailure().GetMessage())
	}
	var answer wire.Support
	payloads := event.GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads()
	if len(payloads) != 1 || json.Unmarshal(payloads[0].GetData(), &answer) != nil {
		return unsupported("the answer of %s on the shadow task queue %q is not in the form that temporalpath/wire describes", wire.ShadowSupport, queue)
	}
	if !slices.Contains(answer.Types, route.WorkflowType) {
		return unsupported("the workers of the shadow task queue %q declare shadow support for [%s], which does not name %s",
			queue, strings.Join(answer.Types, ", "), route.WorkflowType)
	}
	return Support{OK: true, BuildID: answer.BuildID, Batches: answer.Batches}
}
