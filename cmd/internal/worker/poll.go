package worker

import (
	"context"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"
)

const (
	// stopTimeout is how long activities may go on once the worker stops.
	stopTimeout = 5 * time.Second
	// decodeTimeout is how long a workflow may think between two yields. The
	// largest documents take more than the SDK's one second to decode on a busy
	// machine.
	decodeTimeout = 10 * time.Second
	// startRetry is the pause between two attempts to reach Temporal.
	startRetry = 250 * time.Millisecond
)

// poll returns the SDK's workers once they poll, which is as soon as Temporal can
// be reached. It fails if ctx ends first, or if a worker cannot be made.
func (w *Worker) poll(ctx context.Context) (queues, error) {
	for told := false; ; told = true {
		// A worker that failed to start stays so: each attempt makes a new one.
		attempt, err := w.newQueues()
		if err != nil {
			return nil, err
		}
		if _, err = w.client.CheckHealth(ctx, &client.CheckHealthRequest{}); err == nil {
			err = attempt.Start()
		}
		if err == nil {
			return attempt, nil
		}
		if !told {
			w.options.Log.Info("waiting for Temporal", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(startRetry):
		}
	}
}
