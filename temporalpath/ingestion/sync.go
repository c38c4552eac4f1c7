package ingestion

import (
	"context"
	"errors"
	"time"

	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// Sync ingests one document here and now, with the same steps, repeats and
// undos as the workflow, and without its durability: if the process dies, what
// was written stays. Sequence orders the writes of a document, above 0.
//
// It fails with a *[Failure]. A ctx that ends makes the step fail that is under
// way; the undos still run.
func (s *Steps) Sync(ctx context.Context, in wire.Input, sequence int64) (Result, error) {
	job := Job{Input: in, Sequence: sequence}
	result, failure, _ := saga{
		check: func() (Result, error) { return s.check(job) },
		store: func(kind stores.Kind, result Result) (Result, error) {
			err := s.repeat(ctx, int(s.policy.Attempts), func(ctx context.Context) (err error) {
				result, err = s.attempt(ctx, kind, job, result)
				return err
			})
			return result, err
		},
		undo: func(undo Undo) error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.policy.UndoGiveUp)
			defer cancel()
			return s.repeat(ctx, 0, func(ctx context.Context) error { return s.attemptUndo(ctx, undo) })
		},
		reason:  error.Error,
		invalid: func(err error) bool { return errors.Is(err, ErrInvalidDocument) },
	}.run(job)
	if failure == nil {
		return result, nil
	}
	if failure.Type == TypeDeadLetter && !in.Shadow {
		s.observer.DeadLettered(failure.Step)
	}
	return Result{}, failure
}

// attempt tries a step once, within the time that the workflow would give it.
func (s *Steps) attempt(ctx context.Context, kind stores.Kind, job Job, result Result) (Result, error) {
	limit := s.policy.Timeout
	if kind == stores.Vector {
		limit = s.policy.LongTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.store(ctx, kind, job, result, func() {})
}

func (s *Steps) attemptUndo(ctx context.Context, undo Undo) error {
	ctx, cancel := context.WithTimeout(ctx, s.policy.Timeout)
	defer cancel()
	return s.undo(ctx, undo)
}

// repeat tries do until it succeeds, fails for good, was tried attempts times
// (0: no limit), or ctx ends; it returns do's last error.
func (s *Steps) repeat(ctx context.Context, attempts int, do func(context.Context) error) error {
	wait := s.policy.FirstWait
	for tried := 1; ; tried++ {
		err := do(ctx)
		if err == nil || final(err) || tried == attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		wait = min(wait*backoff, max(s.policy.MaxWait, s.policy.FirstWait))
	}
}
