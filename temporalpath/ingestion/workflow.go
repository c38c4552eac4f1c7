package ingestion

import (
	"errors"
	"net/http"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// WorkflowType is the name under which the workflow is registered.
const WorkflowType = "IngestionWorkflow"

// Workflow is the workflow and what it needs to know beside its input.
type Workflow struct {
	policy Policy
}

// RegisterWorkflow registers the workflow alone, as a replayer needs it.
func RegisterWorkflow(registry interface {
	// RegisterWorkflowWithOptions is worker.WorkflowRegistry's.
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}, policy Policy) {
	w := Workflow{policy: policy.filled()}
	registry.RegisterWorkflowWithOptions(w.IngestionWorkflow, workflow.RegisterOptions{Name: WorkflowType})
}

var _ interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
} = worker.WorkflowReplayer(nil)

// IngestionWorkflow ingests one document. It ends with the [Result] as the body of an
// answer, because it has a member "status" that is none of HTTP's; or with an
// ApplicationError of one of the types in this package whose first detail is a
// [Failure]; cancelled before it was done, it ends as cancelled once everything
// is undone. The update [wire.ResultUpdate] answers the same (with an
// ApplicationError where the workflow ends as cancelled), and the workflow does
// not end before every such update has its answer.
func (w Workflow) IngestionWorkflow(ctx workflow.Context, in wire.Input) (Answer, error) {
	outcome, settle := workflow.NewFuture(ctx)
	await := func(ctx workflow.Context) (Answer, error) {
		var answer Answer
		err := outcome.Get(ctx, &answer)
		return answer, err
	}
	if err := workflow.SetUpdateHandler(ctx, wire.ResultUpdate, await); err != nil {
		return Answer{}, err
	}
	answer, err := w.ingest(ctx, in)
	settle.Set(answer, err)

	answering, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.Await(answering, func() bool { return workflow.AllHandlersFinished(answering) }); err != nil {
		return Answer{}, err
	}
	if ctx.Err() != nil && temporal.IsCanceledError(err) && hasType(err, TypeIngestionFailed) {
		return Answer{}, temporal.NewCanceledError(err.Error())
	}
	return answer, err
}

// ingest runs the saga and turns its failure into the workflow's.
func (w Workflow) ingest(ctx workflow.Context, in wire.Input) (Answer, error) {
	job := Job{Input: in, Sequence: workflow.GetInfo(ctx).WorkflowStartTime.UnixNano()}
	if in.Delayed { // one that was started later may have begun before
		job.Sequence = workflow.Now(ctx).UnixNano()
	}
	result, failure, cause := w.saga(ctx, job).run(job)
	if failure == nil {
		return Answer{Status: http.StatusOK, Body: result}, nil
	}
	if failure.Type == TypeDeadLetter && !in.Shadow {
		w.report(ctx, failure)
	}
	return Answer{}, temporal.NewApplicationErrorWithOptions(failure.Error(), failure.Type, temporal.ApplicationErrorOptions{
		NonRetryable: failure.Type != TypeIngestionFailed,
		Cause:        cause,
		Details:      []any{failure},
	})
}

// saga returns the saga whose functions are activities.
func (w Workflow) saga(ctx workflow.Context, job Job) saga {
	here := workflow.WithLocalActivityOptions(ctx, w.policy.short())
	return saga{
		check: func() (result Result, err error) {
			err = workflow.ExecuteLocalActivity(here, activityCheck, job).Get(here, &result)
			return result, err
		},
		store: func(kind stores.Kind, result Result) (Result, error) {
			if kind == stores.Vector {
				away := workflow.WithActivityOptions(ctx, w.policy.long())
				err := workflow.ExecuteActivity(away, activityOf(kind), job, result).Get(away, &result)
				return result, err
			}
			err := workflow.ExecuteLocalActivity(here, activityOf(kind), job, result).Get(here, &result)
			return result, err
		},
		undo: func(undo Undo) error {
			undoing, _ := workflow.NewDisconnectedContext(ctx)
			undoing = workflow.WithActivityOptions(undoing, w.policy.undo(undo.storeName()))
			return workflow.ExecuteActivity(undoing, activityUndo, undo).Get(undoing, nil)
		},
		reason:  reason,
		invalid: func(err error) bool { return hasType(err, TypeInvalidDocument) },
	}
}

// report lets the worker count the dead letter. The record of it is the failed
// workflow itself, so a report that fails is not worth failing for.
func (w Workflow) report(ctx workflow.Context, failure *Failure) {
	reporting, _ := workflow.NewDisconnectedContext(ctx)
	reporting = workflow.WithLocalActivityOptions(reporting, w.policy.short())
	if err := workflow.ExecuteLocalActivity(reporting, activityReport, failure).Get(reporting, nil); err != nil {
		workflow.GetLogger(ctx).Warn("The dead letter was not counted.", "error", err)
	}
}

// reason returns what an activity's last attempt said, without the SDK's frame.
func reason(err error) string {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return application.Message()
	}
	var activity *temporal.ActivityError
	if errors.As(err, &activity) {
		return activity.Unwrap().Error()
	}
	return err.Error()
}

// hasType tells whether err is, or wraps, an ApplicationError of the type.
func hasType(err error, name string) bool {
	var application *temporal.ApplicationError
	return errors.As(err, &application) && application.Type() == name
}
