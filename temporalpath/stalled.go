package temporalpath

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

const (
	// manyFailures is how often a task has failed that is not taken to succeed soon.
	manyFailures = 2
	// longUntaken is how long a task waits for a worker that is not taken to be busy.
	longUntaken = time.Minute
	// lastEvents is how many of a run's last events are looked at for a failure.
	lastEvents = 20
)

// stalled says what keeps an open run from getting on; empty if nothing is known to. A
// workflow task that fails is tried again for as long as the run may take, and an
// activity as its retry policy says: neither ends the run, so nobody else is told.
func (p *Path) stalled(ctx context.Context, run *workflowservice.DescribeWorkflowExecutionResponse, now time.Time) string {
	task := run.GetPendingWorkflowTask()
	if failures := task.GetAttempt() - 1; failures >= manyFailures {
		return fmt.Sprintf("its workflow task failed %d times%s", failures, p.taskFailure(ctx, run))
	}
	for _, activity := range run.GetPendingActivities() {
		if failures := activity.GetAttempt() - 1; failures >= manyFailures && activity.GetLastFailure() != nil {
			return fmt.Sprintf("its activity %s failed %d times: %s", activity.GetActivityType().GetName(), failures, activity.GetLastFailure().GetMessage())
		}
	}
	if task.GetState() == enumspb.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && task.GetScheduledTime() != nil {
		if waited := now.Sub(task.GetScheduledTime().AsTime()); waited > longUntaken {
			return fmt.Sprintf("no worker has taken its workflow task for %s", waited.Round(time.Second))
		}
	}
	return ""
}

// taskFailure says how the run's workflow task failed, as far as its history tells:
// Temporal writes down the first of several failures in a row.
func (p *Path) taskFailure(ctx context.Context, run *workflowservice.DescribeWorkflowExecutionResponse) string {
	history, err := p.service.GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: p.config.Namespace, Execution: run.GetWorkflowExecutionInfo().GetExecution(), MaximumPageSize: lastEvents,
	})
	if err != nil {
		return ""
	}
	for _, event := range history.GetHistory().GetEvents() {
		switch event.EventType {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			return ": " + event.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
			return ": its worker did not answer in time"
		}
	}
	return ""
}
