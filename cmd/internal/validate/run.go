package validate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"sluice/cmd/internal/gates"
	"sluice/rollout"
	"sluice/rollout/evidence"
	"sluice/temporalpath"
	"sluice/temporalpath/validation"
)

const (
	// supportInterval is how often workers are asked whether they support shadow runs.
	supportInterval = 15 * time.Second
	// progressInterval is how often the workflow is asked how far it is.
	progressInterval = 500 * time.Millisecond
	// stopTimeout is how long a request to legacy may go on once the process stops.
	stopTimeout = 5 * time.Second
	askTimeout  = 5 * time.Second
)

// ErrInterrupted says that the process stopped before the end. The workflow waits for
// the next.
var ErrInterrupted = errors.New("stopped before the end\nhint: run the same command again, and it goes on where it was")

// Result is what a validation has found.
type Result struct {
	*evidence.Report
	// Before is when the same was validated before, if that is what is told.
	Before time.Time
}

// Run starts the validation or goes on with it, to its end. It fails with
// ErrInterrupted if ctx ends first.
func (v *Validation) Run(ctx context.Context) (*Result, error) {
	if err := v.ready(ctx); err != nil {
		return nil, interrupted(ctx, err)
	}
	before, err := v.before(ctx)
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	var share json.RawMessage
	if !before.IsZero() {
		err = v.client.GetWorkflow(ctx, v.id(), "").Get(ctx, &share)
	} else {
		err = v.work(ctx, &share)
	}
	if err == nil && v.options.Progress != nil {
		v.options.Progress(validation.Progress{Done: v.lines.Len(), Total: v.lines.Len()}, nil)
	}
	if err != nil {
		return nil, interrupted(ctx, err)
	}
	sum, err := shareOf(share)
	if err != nil {
		return nil, err
	}
	return &Result{Report: v.reader.ReportOn(sum, gates.Ask(ctx, v.config.Gates), time.Now().UTC()), Before: before}, nil
}

func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return err
}

// before returns when the same validation was completed; zero if it was not, or does
// not matter.
func (v *Validation) before(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	described, err := v.client.DescribeWorkflowExecution(ctx, v.id(), "")
	var none *serviceerror.NotFound
	switch {
	case errors.As(err, &none):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	}
	info := described.GetWorkflowExecutionInfo()
	if v.options.Again || info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED {
		return time.Time{}, nil
	}
	return info.GetCloseTime().AsTime(), nil
}

// work is the validation's worker until the workflow has ended.
func (v *Validation) work(ctx context.Context, share *json.RawMessage) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	workers := v.path.Workers()
	group.Go(func() { workers.WatchShadows(ctx, supportInterval, func() bool { return true }) })
	v.awaitReady(ctx, workers)
	told := &reason{}
	w := worker.New(v.client, v.id(), worker.Options{
		MaxConcurrentActivityExecutionSize: v.options.Parallel, WorkerStopTimeout: stopTimeout,
		MaxHeartbeatThrottleInterval: validation.HeartbeatInterval,
	})
	pairs := rollout.NewSplitter(v.config.Rollout.Salt + "/pairs")
	validation.Register(w, validation.Config{
		Lines: v.lines, Mode: v.mode, Books: v.books, Requests: v.requests, Legacy: v.legacy, Temporal: v.path,
		Ready: workers.ShadowReady, Pairs: func(docID string) bool { return v.pairs.Includes(pairs.Bucket(docID)) },
		Patience: v.config.Shadow.Patience.Std(), Waits: told.set,
	})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	run, err := v.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: v.id(), TaskQueue: v.id(),
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
	}, validation.WorkflowType, v.input())
	if err != nil {
		return fmt.Errorf("the validation cannot be started: %w", err)
	}
	if v.options.Progress != nil {
		group.Go(func() { v.watchProgress(ctx, told) })
	}
	return run.Get(ctx, share)
}

// awaitReady waits a moment until the watch has asked, so that no batch is turned away
// before. They have answered already, so soon they will again; if not, batches wait.
func (v *Validation) awaitReady(ctx context.Context, workers *temporalpath.Workers) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, route := range v.requests.used {
		for ready := false; !ready && ctx.Err() == nil; ready, _ = workers.ShadowReady(route) {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// watchProgress tells how far it is until ctx ends.
func (v *Validation) watchProgress(ctx context.Context, told *reason) {
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, askTimeout)
		value, err := v.client.QueryWorkflow(asking, v.id(), "", validation.ProgressQuery)
		cancel()
		var p validation.Progress
		if err == nil && value.Get(&p) == nil {
			v.options.Progress(p, told.take())
		}
	}
}

// reason is why batches cannot go on; the last one counts.
type reason struct {
	mu  sync.Mutex
	err error // guarded by mu
}

func (r *reason) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// take returns the reason and forgets it: batches that still cannot go on say so
// again.
func (r *reason) take() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err, r.err = r.err, nil
	return err
}
