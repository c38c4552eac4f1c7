package shadowruns

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/closing"
	"sluice/temporalpath/wire"
)

const (
	// activityName is the type of the one activity of a batch.
	activityName = "sluice.shadow-batch-runs"
	// queueTimeout is how long a batch, and then its activity, may wait for a worker.
	queueTimeout = 10 * time.Second
	// margin is what a batch may take beyond its runs.
	margin = 10 * time.Second
	// beatInterval is how often a batch shows that it is alive, and beatTimeout when
	// another worker takes it over. The SDK sends a beat each 0.8 of the latter.
	beatInterval = 2 * time.Second
	beatTimeout  = 20 * time.Second
	// attempts is how many workers try.
	attempts = 2
)

// Register makes the worker serve wire.ShadowBatch. It belongs on the task queue of the
// shadow runs, together with the declaration of shadow support.
func Register(registry worker.Registry) {
	registry.RegisterWorkflowWithOptions(batch, workflow.RegisterOptions{
		// The next worker may be of another version.
		Name: wire.ShadowBatch, VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	})
	registry.RegisterActivityWithOptions(runs, activity.RegisterOptions{Name: activityName})
}

// Longest returns how long a batch of the runner's may take in all.
func (r *Runner) Longest() time.Duration {
	return queueTimeout + longest(r.Begin, r.Linger, r.StartTimeout)
}

// longest is how long the activity may take, with all attempts: the last twin begins at
// the end of begin, and both of its runs are started and waited for.
func longest(begin, linger, startTimeout time.Duration) time.Duration {
	return begin + 2*(2*startTimeout+linger) + margin
}

// batch is the workflow.
func batch(ctx workflow.Context, b wire.Batch) (ends wire.Ends, err error) {
	if workflow.Now(ctx).Sub(workflow.GetInfo(ctx).WorkflowStartTime) > queueTimeout {
		return tooLate(len(b.Runs)), nil
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ScheduleToStartTimeout: queueTimeout,
		ScheduleToCloseTimeout: longest(b.Begin, b.Linger, b.StartTimeout),
		HeartbeatTimeout:       beatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: attempts},
	})
	err = workflow.ExecuteActivity(ctx, activityName, b).Get(ctx, &ends)
	return ends, err
}

func tooLate(n int) wire.Ends {
	ends := wire.Ends{Ends: make([]wire.End, n)}
	for i := range ends.Ends {
		ends.Ends[i].First.None = ErrLate.Error()
	}
	return ends
}

// errStopped says that the worker stops; another takes the batch over. It is no error of
// the program's, and so the SDK must not log it as one.
var errStopped = errors.New("the worker stops")

// runs is the activity.
func runs(ctx context.Context, b wire.Batch) (wire.Ends, error) {
	twins, err := decodeTwins(b.Runs)
	if err != nil {
		return wire.Ends{}, temporal.NewNonRetryableApplicationError("the batch cannot be read", "BadBatch", err)
	}
	info, stopping := activity.GetInfo(ctx), activity.GetWorkerStopChannel(ctx)
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	go beat(working, stopping, cancel)
	waited := info.StartedTime.Sub(info.ScheduledTime) // both are Temporal's
	runner := Runner{
		Watch:    closing.Watch{Service: activity.GetClient(ctx).WorkflowService(), Namespace: info.Namespace},
		Parallel: max(1, b.Parallel), Linger: b.Linger, StartTimeout: b.StartTimeout,
		Begin: b.Begin - waited,
	}
	ends := runner.Run(working, twins, b.Over)
	if working.Err() != nil {
		return wire.Ends{}, temporal.NewApplicationErrorWithOptions(errStopped.Error(), "Stopped",
			temporal.ApplicationErrorOptions{Cause: errStopped, Category: temporal.ApplicationErrorCategoryBenign})
	}
	// One that an operator has reset is called the first again.
	return encodeEnds(ends, info.Attempt == 1 && waited <= queueTimeout)
}

// beat shows that the activity is alive until ctx ends, which it does when the worker
// stops.
func beat(ctx context.Context, stopping <-chan struct{}, cancel func()) {
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stopping:
			cancel()
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}
