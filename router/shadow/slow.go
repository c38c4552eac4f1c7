package shadow

import (
	"context"
	"errors"
	"time"

	"sluice/rollout"
)

// waitFor waits for a document's runs by itself, once fewer than Parallel are waited for
// so. Until then the batch waits, and with it what would come after.
func (m *Mirror) waitFor(ctx context.Context, j *job, found rollout.Mirrored, began time.Time) {
	select {
	case m.slow <- struct{}{}:
	case <-ctx.Done():
		m.release(j, j.id, rollout.DropRestart)
		return
	}
	m.late.Go(func() {
		defer func() { <-m.slow }()
		m.follow(ctx, j, found, began)
	})
}

// look is the least that a run is waited for, so that one that has ended is found.
const look = time.Second

// follow waits for the runs of a document that take longer than a batch waits. They may
// take as long as the patience says since the batch began, for Temporal ends a run soon
// after that.
func (m *Mirror) follow(ctx context.Context, j *job, found rollout.Mirrored, began time.Time) {
	left := func() time.Duration { return max(look, m.config.Patience-time.Since(began)) }
	if found.Run.State == rollout.RunRunning {
		run, took, err := m.config.Temporal.Shadowed(ctx, &j.doc, "a", left())
		running := err == nil && run.State == rollout.RunRunning
		switch {
		case running && ctx.Err() != nil:
			m.release(j, j.id, rollout.DropRestart)
			return
		case err != nil:
			m.release(j, j.id, dropped(ctx, err))
			return
		case running:
			took = time.Since(began)
		}
		found.Run, found.Took = run, took
	}
	if j.pair && found.Run.State != rollout.RunRunning {
		found.Again = m.again(ctx, &j.doc, left)
	}
	m.hand(j, &found)
}

// again returns the document's second run, nil if there is none that ended.
func (m *Mirror) again(ctx context.Context, doc *rollout.Document, left func() time.Duration) *rollout.Run {
	run, err := m.config.Temporal.Shadow(ctx, doc, "b")
	if errors.Is(err, rollout.ErrDuplicate) { // it was begun with the batch
		run, _, err = m.config.Temporal.Shadowed(ctx, doc, "b", left())
	}
	if err != nil || run.State == rollout.RunRunning {
		return nil
	}
	return &run
}
