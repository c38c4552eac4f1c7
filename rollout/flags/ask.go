package flags

import (
	"context"
	"fmt"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// calls keeps the evaluations of one flag to one at a time: a provider that
// ignores its deadline costs one goroutine, not one a second.
type calls struct {
	late <-chan struct{} // closed when the evaluation that missed its deadline has returned; nil if none did
}

func (c *calls) busy() bool {
	if c.late == nil {
		return false
	}
	select {
	case <-c.late:
		c.late = nil
		return false
	default:
		return true
	}
}

type result[T bool | float64] struct {
	details openfeature.GenericEvaluationDetails[T]
	err     error
}

// ask evaluates a flag and waits no longer than the deadline, whatever the
// provider does: blocks, or panics. A late answer is thrown away.
func ask[T bool | float64](
	ctx context.Context, c *calls, deadline time.Duration,
	evaluate func(context.Context) (openfeature.GenericEvaluationDetails[T], error),
) (openfeature.GenericEvaluationDetails[T], *rejection) {
	var none openfeature.GenericEvaluationDetails[T]
	if ctx.Err() != nil {
		return none, &rejection{ReasonTimeout, "the reading was broken off"}
	}
	if c.busy() {
		return none, &rejection{ReasonTimeout, "the provider has not returned from an earlier evaluation"}
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	answered, returned := make(chan result[T], 1), make(chan struct{})
	go func() {
		defer close(returned)
		answered <- guarded(ctx, evaluate)
	}()
	select {
	case r := <-answered:
		return r.details, r.rejected(ctx)
	case <-ctx.Done():
		c.late = returned
		return none, &rejection{ReasonTimeout, fmt.Sprintf("no answer within %s", deadline)}
	}
}

// guarded turns a provider's panic into an error: a flag source must not be
// able to end the process.
func guarded[T bool | float64](
	ctx context.Context, evaluate func(context.Context) (openfeature.GenericEvaluationDetails[T], error),
) (r result[T]) {
	defer func() {
		if p := recover(); p != nil {
			r = result[T]{err: fmt.Errorf("the provider panicked: %v", p)}
		}
	}()
	r.details, r.err = evaluate(ctx)
	return r
}

func (r result[T]) rejected(ctx context.Context) *rejection {
	if r.err == nil {
		return nil
	}
	text := r.details.ErrorMessage
	if text == "" {
		text = r.err.Error()
	}
	reason := reasonOf(r.details.ErrorCode)
	if reason == ReasonUnavailable && ctx.Err() != nil {
		reason = ReasonTimeout
	}
	return &rejection{reason, text}
}
