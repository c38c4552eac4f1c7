package validation

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// HeartbeatInterval is how old a batch's position may be that the next attempt finds
// after a crash. It is also how long the SDK lets Temporal take for a heartbeat, before it
// calls the attempt off: a second is too little for a server that is busy. It is what
// worker.Options.MaxHeartbeatThrottleInterval is to be.
const HeartbeatInterval = 5 * time.Second

const (
	// batchesPerRun is how many batches one run of the workflow takes at most.
	batchesPerRun = 200
	// heartbeatTimeout is how soon a worker's death is noticed.
	// It is more than twice HeartbeatInterval: one heartbeat may come as late as that, and
	// take as long.
	heartbeatTimeout = 20 * time.Second
	// batchTimeout bounds one attempt at a batch. Heartbeats tell a worker's death, so
	// it is long.
	batchTimeout = 24 * time.Hour
)

// Register registers the workflow and its activity.
func Register(registry worker.Registry, config Config) {
	RegisterWorkflow(registry, config.Books)
	b := &batches{config: config}
	registry.RegisterActivityWithOptions(b.batch, activity.RegisterOptions{Name: activityBatch})
}

// RegisterWorkflow registers the workflow alone, as a replayer needs it.
func RegisterWorkflow(registry interface {
	// RegisterWorkflowWithOptions is worker.WorkflowRegistry's.
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}, books Books) {
	registry.RegisterWorkflowWithOptions(validation{books}.Workflow, workflow.RegisterOptions{Name: WorkflowType})
}

// validation is the workflow and what it needs beside its input.
type validation struct{ books Books }

// Workflow validates a file, and ends with the sum of all shares.
func (v validation) Workflow(ctx workflow.Context, in Input) (json.RawMessage, error) {
	r := &round{books: v.books, in: in, done: in.Next, run: workflow.GetInfo(ctx).FirstRunID}
	if err := workflow.SetQueryHandler(ctx, ProgressQuery, r.progress); err != nil {
		return nil, err
	}
	if err := r.validate(ctx); err != nil {
		return nil, err
	}
	if r.in.Next < in.Lines {
		return nil, workflow.NewContinueAsNewError(ctx, WorkflowType, r.in)
	}
	return r.in.Sum, nil
}

// round is one run of the workflow. in is carried on to the next.
type round struct {
	books         Books
	in            Input
	run           string
	begun         int // batches
	done, running int // lines
	err           error
	cancel        func()
}

func (r *round) progress() (Progress, error) {
	return Progress{Done: r.done, Total: r.in.Lines, Running: r.running}, nil
}

// validate takes batches, so many at one time, until none is left or this run has had
// enough. All that it began have ended when it returns.
func (r *round) validate(ctx workflow.Context) error {
	ctx, r.cancel = workflow.WithCancel(ctx)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: batchTimeout,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 10 * time.Second},
	})
	group := workflow.NewWaitGroup(ctx)
	for range r.in.Parallel {
		group.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer group.Done()
			for r.more(ctx) {
				r.take(ctx)
			}
		})
	}
	group.Wait(ctx)
	return r.err
}

func (r *round) more(ctx workflow.Context) bool {
	return r.err == nil && r.in.Next < r.in.Lines && r.begun < batchesPerRun &&
		!workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// take runs the next batch and adds its share.
func (r *round) take(ctx workflow.Context) {
	b := Batch{SHA256: r.in.SHA256, Mode: r.in.Mode, Run: r.run, From: r.in.Next, To: min(r.in.Next+r.in.Batch, r.in.Lines)}
	r.in.Next = b.To
	r.begun++
	r.running += b.To - b.From
	var share json.RawMessage
	err := workflow.ExecuteActivity(ctx, activityBatch, b).Get(ctx, &share)
	r.running -= b.To - b.From
	if err == nil {
		share, err = r.books.Sum(r.in.Sum, share)
	}
	switch {
	case err == nil:
		r.in.Sum = share
		r.done += b.To - b.From
	case r.err == nil:
		r.err = err
		r.cancel()
	}
}
