// Package shadowruns starts many shadow runs and waits for their ends: on a worker that
// a gateway gives them to in one call, or in the gateway itself where no worker takes
// them.
//
// Invariants:
//   - Only so many runs are waited for at one time, and none for long: a run that takes
//     longer is given back open, for its own patience is the caller's.
//   - What all ends take is bounded: large ones are given back open too.
//   - Starts are as far apart as the documents came, so that Temporal and its workers,
//     which clients use too, see no bursts.
//   - No run begins later than the bound says, so that one that mirrors no more can count
//     on an end.
//   - A start is the same request however often it is sent, so a worker that takes a
//     batch over finds the runs that another has started.
//   - What may have been started is never said to be not.
package shadowruns

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"sluice/rollout"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/verdict"
)

// Twin is a document's shadow run, and a second one that begins when it has ended, or
// nil.
type Twin struct {
	First, Second *workflowservice.StartWorkflowExecutionRequest
}

// End is what came of a twin. Second is nil unless both runs were begun.
type End struct {
	First  Leg
	Second *Leg
}

// Leg is what came of one run.
type Leg struct {
	RunID string
	// Closed is nil if the run has not ended, or its end is still to be asked for.
	Closed *historypb.HistoryEvent
	// Took is how long the run was waited for, from before its start; 0 if unknown.
	Took time.Duration
	// Err is why nothing is known of a run; it wraps rollout.ErrDuplicate if there was one
	// before, and rollout.ErrNotAccepted if there is none.
	Err error
}

// maxEvents bounds the closing events of a Run, in bytes, of which the results of the
// runs are nearly all. They travel as a batch's result, of which Temporal takes 2 MiB.
const maxEvents = 1 << 20

// ErrLate says that a run did not begin, because it was too late for that.
var ErrLate = fmt.Errorf("the shadow run was not begun in time: %w", rollout.ErrNotAccepted)

// Runner runs twins. All fields are needed.
type Runner struct {
	Watch closing.Watch
	// Parallel is how many are waited for at one time.
	Parallel int
	// Begin is how long after the first a run may begin, Linger how long one is waited
	// for, StartTimeout how long Temporal may take to acknowledge a start.
	Begin, Linger, StartTimeout time.Duration
}

// Run starts the twins, evenly over a while, and waits for them; there is one end for
// each. It returns within Begin and the time that one twin may take, or soon after ctx
// ends: what is open then says nothing of the run.
func (r *Runner) Run(ctx context.Context, twins []Twin, over time.Duration) []End {
	ends := make([]End, len(twins))
	began := time.Now()
	latest := began.Add(r.Begin)
	var room atomic.Int64
	room.Store(maxEvents)
	var group errgroup.Group
	group.SetLimit(r.Parallel)
	for i, twin := range twins {
		closing.Pause(ctx, time.Until(began.Add(over*time.Duration(i)/time.Duration(len(twins)))))
		group.Go(func() error {
			ends[i] = r.twin(ctx, twin, latest, &room)
			return nil
		})
	}
	_ = group.Wait() // none fails
	return ends
}

func (r *Runner) twin(ctx context.Context, t Twin, latest time.Time, room *atomic.Int64) (end End) {
	if time.Now().After(latest) {
		return End{First: Leg{Err: ErrLate}}
	}
	end.First = r.leg(ctx, t.First)
	ended := end.First.Closed != nil
	end.First.fit(room)
	if t.Second != nil && ended && time.Now().Before(latest) {
		second := r.leg(ctx, t.Second)
		second.fit(room)
		end.Second = &second
	}
	return end
}

// fit leaves the event out that finds no room.
func (l *Leg) fit(room *atomic.Int64) {
	if size := int64(proto.Size(l.Closed)); room.Add(-size) < 0 {
		room.Add(size)
		l.Closed = nil
	}
}

func (r *Runner) leg(ctx context.Context, request *workflowservice.StartWorkflowExecutionRequest) Leg {
	began := time.Now()
	runID, err := r.start(ctx, request)
	if err != nil {
		return Leg{Err: err}
	}
	waiting, stop := closing.SliceOf(ctx, r.Linger)
	defer stop()
	execution := &commonpb.WorkflowExecution{WorkflowId: request.WorkflowId, RunId: runID}
	event, err := r.Watch.Await(waiting, execution)
	if err != nil {
		event = nil
	}
	return Leg{RunID: runID, Closed: event, Took: time.Since(began)}
}

// start starts the run. An attempt that fails may have started it, and another finds it.
// The error wraps rollout.ErrDuplicate or rollout.ErrNotAccepted if that is certain.
func (r *Runner) start(ctx context.Context, request *workflowservice.StartWorkflowExecutionRequest) (runID string, err error) {
	for attempt := range 2 {
		starting, cancel := context.WithTimeout(ctx, r.StartTimeout)
		var started *workflowservice.StartWorkflowExecutionResponse
		started, err = r.Watch.Service.StartWorkflowExecution(starting, request)
		cancel()
		var exists *serviceerror.WorkflowExecutionAlreadyStarted
		switch {
		case err == nil:
			return started.GetRunId(), nil
		case attempt > 0: // what there is may be the first one's, and what there is not may come
		case errors.As(err, &exists):
			return "", fmt.Errorf("%s: %w", request.WorkflowId, rollout.ErrDuplicate)
		case verdict.Refused(err) || verdict.Unfit(err):
			return "", fmt.Errorf("%s: %w: %w", request.WorkflowId, rollout.ErrNotAccepted, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return "", fmt.Errorf("%s: %w", request.WorkflowId, err)
}
