package temporalpath

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"sluice/rollout"
	"sluice/temporalpath/closing"
)

// Run makes one attempt to start the document's life, or to find it started, and
// waits for its end, at most for wait. With wait 0, or with too many waiting
// already, it answers as soon as Temporal holds the document. So it does if the
// document has a delay: an update would release it.
//
// The run is RunRunning if it is durable and not finished. An error wraps
// rollout.ErrNotAccepted or ErrAmbiguous, and rollout.ErrUnavailable if it came
// of the path and not of the document. ctx must outlive the client: a start that
// was sent cannot be taken back. Run returns soon after wait, and after three times
// the start timeout at the latest if Temporal does not answer at all.
func (p *Path) Run(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error) {
	s, err := p.newStart(ctx, doc)
	if err != nil {
		return rollout.Run{}, err
	}
	if wait > 0 && doc.Delay == 0 && p.enter() {
		defer p.leave()
	} else {
		wait = 0
	}
	if wait > 0 && p.workers.update(s.route) {
		return p.byUpdate(ctx, s, wait)
	}
	return p.byPolling(ctx, s, wait)
}

func (p *Path) enter() bool {
	select {
	case p.waiters <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p *Path) leave() { <-p.waiters }

// byPolling starts the workflow and then waits for its close event.
func (p *Path) byPolling(ctx context.Context, s *start, wait time.Duration) (rollout.Run, error) {
	deadline := time.Now().Add(wait)
	at, err := p.acknowledge(ctx, s)
	if err != nil {
		return rollout.Run{}, err
	}
	return p.finish(ctx, s, at, time.Until(deadline))
}

// finish waits for the end of a run that Temporal holds.
func (p *Path) finish(ctx context.Context, s *start, at standing, wait time.Duration) (rollout.Run, error) {
	if at.closed {
		wait = max(wait, p.config.StartTimeout) // its result is there to be read
	}
	if wait <= 0 {
		return p.running(ctx, s, at)
	}
	ctx, cancel := closing.SliceOf(ctx, wait)
	defer cancel()
	switch run, err := p.follow(ctx, s.route, s.request.WorkflowId, at.runID); {
	case err == nil:
		return run, nil
	case errors.Is(err, rollout.ErrFenced):
		return rollout.Run{}, err
	}
	return p.running(ctx, s, at)
}

// running returns a run that has not ended, which must be the document's own: a
// tombstone is open for a second, and longer on a server that has much to do.
func (p *Path) running(ctx context.Context, s *start, at standing) (rollout.Run, error) {
	if at.found {
		execution := &commonpb.WorkflowExecution{WorkflowId: s.request.WorkflowId, RunId: at.runID}
		switch err := p.unlessTombstone(ctx, execution); {
		case errors.Is(err, rollout.ErrFenced):
			return rollout.Run{}, err
		case err != nil:
			return rollout.Run{}, ambiguous(err)
		}
	}
	return rollout.Run{WorkflowID: s.request.WorkflowId, State: rollout.RunRunning}, nil
}

// reply is what startAndUpdate returned.
type reply struct {
	at  standing
	run rollout.Run
	err error
}

// byUpdate starts the workflow and waits for its result in one call. If that
// call has not answered within the start timeout, a second request for the same
// start finds out whether Temporal holds the document.
func (p *Path) byUpdate(ctx context.Context, s *start, wait time.Duration) (rollout.Run, error) {
	deadline := time.Now().Add(wait)
	call, cancel := closing.SliceOf(ctx, wait)
	defer cancel()
	replies := make(chan reply, 1)
	go func() {
		var r reply
		r.at, r.run, r.err = p.startAndUpdate(call, s)
		replies <- r
	}()
	unanswered := time.NewTimer(min(wait, p.config.StartTimeout))
	defer unanswered.Stop()
	select {
	case r := <-replies:
		return p.settle(ctx, s, r, deadline)
	case <-unanswered.C:
	}
	at, err := p.acknowledge(ctx, s)
	if err != nil {
		cancel() // what it has answered by now still counts
		if r := <-replies; r.err == nil {
			return r.run, nil
		}
		return rollout.Run{}, ambiguous(err)
	}
	r := <-replies // ends with call at the latest
	if r.err == nil {
		return r.run, nil
	}
	return p.finish(ctx, s, at, time.Until(deadline))
}

// settle makes the best of what the one call returned.
func (p *Path) settle(ctx context.Context, s *start, r reply, deadline time.Time) (rollout.Run, error) {
	switch {
	case r.err == nil:
		return r.run, nil
	case errors.Is(r.err, rollout.ErrNotAccepted):
		return rollout.Run{}, r.err
	case r.at.runID != "":
		return p.finish(ctx, s, r.at, time.Until(deadline))
	}
	at, err := p.acknowledge(ctx, s)
	if err != nil {
		return rollout.Run{}, ambiguous(err)
	}
	return p.finish(ctx, s, at, time.Until(deadline))
}

// ambiguous is the error of a start of which an earlier attempt is unsettled:
// what the last attempt proves, it proves for itself alone.
func ambiguous(last error) error {
	if errors.Is(last, ErrAmbiguous) {
		return last
	}
	return errors.Join(ErrAmbiguous, errors.New(last.Error()))
}
