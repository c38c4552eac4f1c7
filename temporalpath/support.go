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
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/wire"
)

const (
	// supportWait is how long workers may take to declare what they can.
	supportWait = 5 * time.Second
	// firstLook and lastLook bound the pause between two looks at the answer.
	firstLook = 20 * time.Millisecond
	lastLook  = 500 * time.Millisecond
)

// Support is what the workers of a task queue declared, all versions together that take
// new runs.
type Support struct {
	wire.Support
	// OK: they declared it; if not, nothing else is known of them.
	OK bool
	// Reason is why not, for people; empty if OK.
	Reason string
	// Unheard: nobody answered, which says nothing about support. The workers may
	// only be busy.
	Unheard bool
}

func unsupported(format string, args ...any) Support {
	return Support{Reason: fmt.Sprintf(format, args...)}
}

// and returns what both can. What one of them refused to declare outranks what the other
// did not answer.
func (s Support) and(other Support) Support {
	for _, first := range []Support{s, other} {
		if !first.OK && !first.Unheard {
			return first
		}
	}
	switch {
	case !s.OK:
		return s
	case !other.OK:
		return other
	}
	s.Types, s.ClaimCheck = both(s.Types, other.Types), both(s.ClaimCheck, other.ClaimCheck)
	if s.Updates = both(s.Updates, other.Updates); other.Updates == nil {
		s.Updates = nil // the other says nothing of them
	}
	s.Batches = s.Batches && other.Batches
	return s
}

// both returns what stands in both.
func both(one, other []string) []string {
	return slices.DeleteFunc(slices.Clone(one), func(s string) bool { return !slices.Contains(other, s) })
}

// serving returns the support as one of the type: it is not OK if the type is not named.
func (s Support) serving(q question, workflowType string) Support {
	if s.OK && !slices.Contains(s.Types, workflowType) {
		return unsupported("the workers of %s declare support for [%s], which does not name %s", q, strings.Join(s.Types, ", "), workflowType)
	}
	return s
}

// question is asked of the workers of a task queue.
type question struct {
	queue  string
	shadow bool
}

// workflowType is that of the workflow which answers.
func (q question) workflowType() string {
	if q.shadow {
		return wire.ShadowSupport
	}
	return wire.WorkerSupport
}

// String names the task queue, for people.
func (q question) String() string {
	if q.shadow {
		return fmt.Sprintf("the shadow task queue %q", q.queue)
	}
	return fmt.Sprintf("the task queue %q", q.queue)
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
	q := question{route.ShadowTaskQueue, true}
	if q.queue == "" {
		return noShadows(routeName), nil
	}
	queue, err := p.describeQueue(ctx, q.queue)
	if err != nil {
		return Support{}, err
	}
	support, err := p.ask(ctx, q, queue)
	return support.serving(q, route.WorkflowType), err
}

func noShadows(routeName string) Support {
	return unsupported("route %q has no workflow.shadow_task_queue", routeName)
}

// ask asks each version of the workers that takes new runs. It fails with Temporal's
// error.
func (p *Path) ask(ctx context.Context, q question, queue *workflowservice.DescribeTaskQueueResponse) (Support, error) {
	if len(queue.GetPollers()) == 0 {
		return unsupported("no worker polls %s", q), nil
	}
	var all Support
	versions := takingNew(queue.GetVersioningInfo())
	for i, v := range versions {
		said, by, err := p.askVersion(ctx, q, v)
		if err != nil {
			return Support{}, err
		}
		if said.OK && len(versions) > 1 && !proto.Equal(v, by) {
			said = unheard(q, v) // a question for workers without a version was taken by the one that ramps
		}
		if i > 0 {
			said = all.and(said)
		}
		all = said
	}
	return all, nil
}

// askVersion runs the question on workers of the version, and reads the answer. by is the
// version that gave it.
func (p *Path) askVersion(ctx context.Context, q question, v version) (said Support, by version, err error) {
	id := rollout.ShadowSpace + q.workflowType() + "/" + rand.Text()
	request := &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               id,
		RequestId:                requestID(id),
		WorkflowType:             &commonpb.WorkflowType{Name: q.workflowType()},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: q.queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Identity:                 p.identity,
		WorkflowExecutionTimeout: durationpb.New(supportWait),
	}
	if v != nil {
		request.VersioningOverride = &workflowpb.VersioningOverride{Override: &workflowpb.VersioningOverride_Pinned{
			Pinned: &workflowpb.VersioningOverride_PinnedOverride{
				Behavior: workflowpb.VersioningOverride_PINNED_OVERRIDE_BEHAVIOR_PINNED, Version: v,
			},
		}}
	}
	starting, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	started, err := p.service.StartWorkflowExecution(starting, request)
	if err != nil {
		return Support{}, nil, err
	}
	execution := &commonpb.WorkflowExecution{WorkflowId: id, RunId: started.GetRunId()}
	defer p.forget(ctx, execution)
	asking, stop := closing.SliceOf(ctx, supportWait)
	defer stop()
	for look := firstLook; ; look = min(2*look, lastLook) {
		closing.Pause(asking, look)
		event, by, err := p.settling(ctx, execution)
		switch {
		case err != nil:
			return Support{}, nil, err
		case event != nil:
			return declared(q, v, event), by, nil
		case asking.Err() != nil:
			return unheard(q, v), nil, nil
		}
	}
}

func unheard(q question, v version) Support {
	support := unsupported("workers polled %s, and none%s answered %s within %s: do they still run, and is their version current?",
		q, of(v), q.workflowType(), supportWait)
	support.Unheard = true
	return support
}

// of names the version of a worker, for people.
func of(v version) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(" of version %q", v.GetBuildId())
}

// settling returns the first event of the run that answers the question, or shows
// that it is not answered; nil if there is none yet. by is the version that answered.
func (p *Path) settling(ctx context.Context, execution *commonpb.WorkflowExecution) (event *historypb.HistoryEvent, by version, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	history, err := p.service.GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
		Namespace: p.config.Namespace, Execution: execution, SkipArchival: true,
	})
	for _, event := range history.GetHistory().GetEvents() {
		switch event.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			by = event.GetWorkflowTaskCompletedEventAttributes().GetDeploymentVersion()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
			enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
			return event, by, nil
		}
	}
	return nil, nil, err
}

// forget deletes the run. One that stays is no harm: it has ended, or will.
func (p *Path) forget(ctx context.Context, execution *commonpb.WorkflowExecution) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.config.StartTimeout)
	defer cancel()
	_, _ = p.service.DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: p.config.Namespace, WorkflowExecution: execution,
	})
}

// declared reads what the event says of the version.
func declared(q question, v version, event *historypb.HistoryEvent) Support {
	switch event.EventType {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		return unsupported("a worker of %s%s does not declare what it supports, it fails %s: %s",
			q, of(v), q.workflowType(), event.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		return unsupported("%s failed on %s%s: %s",
			q.workflowType(), q, of(v), event.GetWorkflowExecutionFailedEventAttributes().GetFailure().GetMessage())
	}
	var answer wire.Support
	payloads := event.GetWorkflowExecutionCompletedEventAttributes().GetResult().GetPayloads()
	if len(payloads) != 1 || json.Unmarshal(payloads[0].GetData(), &answer) != nil {
		return unsupported("the answer of %s on %s%s is not in the form that temporalpath/wire describes", q.workflowType(), q, of(v))
	}
	return Support{OK: true, Support: answer}
}
