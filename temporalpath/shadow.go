package temporalpath

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"sluice/rollout"
	"sluice/temporalpath/closing"
)

// shadowPriority is the lowest there is, so that real runs go first where workers
// take tasks of both kinds.
const shadowPriority = 5

// checkShadows fails if a shadow run could be taken for a real one.
func (c *Config) checkShadows() error {
	if strings.HasPrefix(c.IDs.Prefix+"/", rollout.ShadowSpace) {
		return fmt.Errorf("workflow IDs that begin with %q are those of shadow runs", c.IDs.Prefix)
	}
	for name, route := range c.Routes {
		for other, real := range c.Routes {
			if route.ShadowTaskQueue != "" && route.ShadowTaskQueue == real.TaskQueue {
				return fmt.Errorf("shadow runs of route %q would go to the task queue of route %q: %s", name, other, real.TaskQueue)
			}
		}
	}
	return nil
}

// Shadow starts the document's shadow run, arm "a" or "b", on the route's shadow
// task queue, and waits for its end, at most for wait. It does not ask whether the
// workers there support shadow runs: see Workers.
//
// The run is RunRunning if it has not ended by then; soon after, Temporal ends it.
// RunFailed with rollout.FailureTimeout says that it took longer than the route
// allows real runs. An error wraps rollout.ErrDuplicate if there was such a run
// before, also before a crash; else nothing is known of a run, as after Run. There
// is one attempt, and ctx may end at any time.
//
// Those who wait here do not count as waiters: the caller bounds them.
func (p *Path) Shadow(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (rollout.Run, error) {
	deadline := time.Now().Add(wait)
	s, err := p.newShadow(ctx, doc, arm, wait)
	if err != nil {
		return rollout.Run{}, err
	}
	id := s.request.WorkflowId
	at, err := p.acknowledge(ctx, s)
	switch {
	case err != nil:
		return rollout.Run{}, err
	case at.found:
		return rollout.Run{}, fmt.Errorf("%s: %w", id, rollout.ErrDuplicate)
	}
	waiting, cancel := closing.SliceOf(ctx, time.Until(deadline))
	defer cancel()
	return p.shadowEnd(waiting, s.route, &commonpb.WorkflowExecution{WorkflowId: id, RunId: at.runID})
}

// newShadow returns the start of a shadow run. Its request ID is new each time: a
// repeat under the same one would be told that it started what was there.
func (p *Path) newShadow(ctx context.Context, doc *rollout.Document, arm string, wait time.Duration) (*start, error) {
	route, err := p.route(doc.Route)
	switch {
	case err != nil:
		return nil, err
	case route.ShadowTaskQueue == "":
		return nil, fmt.Errorf("route %q has no shadow task queue: %w", doc.Route, rollout.ErrNotAccepted)
	case arm != "a" && arm != "b":
		return nil, fmt.Errorf("%q is no arm of a shadow: %w", arm, rollout.ErrNotAccepted)
	}
	in := p.inputOf(doc)
	in.Life, in.Shadow = rollout.ShadowLife, true
	input, err := p.pack(ctx, question{route.ShadowTaskQueue, true}, in)
	if err != nil {
		return nil, err
	}
	limit := p.shadowLimit(wait)
	if route.ExecutionTimeout > 0 {
		limit = min(limit, route.ExecutionTimeout)
	}
	id := p.config.IDs.OfShadow(doc.Identity(), doc.Intent, arm)
	s := p.shadowStart(route, id, route.WorkflowType, input, limit)
	s.request.Memo = memo(doc, map[string]any{memoShadow: true})
	return s, nil
}

// shadowStart returns the start of a workflow on the route's shadow task queue, once.
func (p *Path) shadowStart(route Route, id, workflowType string, input *commonpb.Payloads, limit time.Duration) *start {
	return &start{route: route, request: &workflowservice.StartWorkflowExecutionRequest{
		Namespace:                p.config.Namespace,
		WorkflowId:               id,
		RequestId:                rand.Text(),
		WorkflowType:             &commonpb.WorkflowType{Name: workflowType},
		TaskQueue:                &taskqueuepb.TaskQueue{Name: route.ShadowTaskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                    input,
		Identity:                 p.identity,
		WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionTimeout: durationpb.New(limit),
		Priority:                 &commonpb.Priority{PriorityKey: shadowPriority},
	}}
}

// shadowLimit is how long a shadow run may take that is waited for so long: whoever waits
// has given up by then, and a run that nobody will look at ends.
func (p *Path) shadowLimit(wait time.Duration) time.Duration { return wait + p.config.StartTimeout }

// BuildOf returns the build ID of the worker that last worked on the run; empty if
// none did, it is no version of a deployment, or Temporal does not say so in time.
func (p *Path) BuildOf(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	described, err := p.service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: p.config.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: id},
	})
	if err != nil {
		return ""
	}
	return described.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}
