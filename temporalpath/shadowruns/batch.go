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
	// margin is what a batch may take beyond its runs.
	margin = 10 * time.Second
	// beatInterval is how often a batch shows that it is alive, and beatTimeout when
	// another worker takes it over.
	beatInterval = 2 * time.Second
	beatTimeout  = 8 * time.Second
	// attempts is how many workers try.
	attempts = 2
	// ScheduleTimeout is how long a batch may wait for a worker.
	scheduleTimeout = 10 * time.Second
)

// Register makes the worker serve wire.ShadowBatch. It belongs on the task queue of the
// shadow runs, together with the declaration of shadow support.
func Register(registry worker.Registry) {
	registry.RegisterWorkflowWithOptions(batch, workflow.RegisterOptions{
		Name: wire.ShadowBatch, VersioningBehavior: workflow.VersioningBehaviorPinned,
	})
	registry.RegisterActivityWithOptions(runs, activity.RegisterOptions{Name: activityName})
}

// Longest returns how long a batch with these bounds may take in all.
func Longest(begin, linger, startTimeout time.Duration) time.Duration {
	return scheduleTimeout + attempts*attempt(begin, linger, startTimeout)
}

// attempt is the longest that one worker may take: the last twin begins at the end of
// begin, and both of its runs are started and waited for.
func attempt(begin, linger, startTimeout time.Duration) time.Duration {
	return begin + 2*(linger+startTimeout) + margin
}

// batch is the workflow.
func batch(ctx workflow.Context, b wire.Batch) (ends wire.Ends, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ScheduleToStartTimeout: scheduleTimeout,
		StartToCloseTimeout:    attempt(b.Begin, b.Linger, b.StartTimeout),
		HeartbeatTimeout:       beatTimeout,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, MaximumAttempts: attempts},
	})
	err = workflow.ExecuteActivity(ctx, activityName, b).Get(ctx, &ends)
	return ends, err
}

// errStopped says that the worker stops; another takes the batch over.
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
	runner := Runner{
		Watch:    closing.Watch{Service: activity.GetClient(ctx).WorkflowService(), Namespace: info.Namespace},
		Parallel: max(1, b.Parallel), Begin: b.Begin, Linger: b.Linger, StartTimeout: b.StartTimeout,
	}
	ends := runner.Run(working, twins, b.Over)
	if working.Err() != nil {
		return wire.Ends{}, errStopped
	}
	return encodeEnds(ends, info.Attempt == 1)
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
