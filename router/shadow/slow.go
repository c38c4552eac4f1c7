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

// follow waits for the runs of a document that take longer than a batch waits.
func (m *Mirror) follow(ctx context.Context, j *job, found rollout.Mirrored, began time.Time) {
	if found.Run.State == rollout.RunRunning {
		left := m.config.Patience - found.Took
		if found.Took == 0 { // nobody knows since when it runs
			left = m.config.Patience - time.Since(began)
		}
		run, took, err := m.config.Temporal.Shadowed(ctx, &j.doc, "a", max(0, left))
		if err != nil || run.State == rollout.RunRunning && ctx.Err() != nil {
			m.release(j, j.id, dropped(ctx, err))
			return
		}
		found.Run, found.Took = run, took
	}
	if j.pair && found.Run.State != rollout.RunRunning {
		found.Again = m.again(ctx, &j.doc)
	}
	m.hand(j, &found)
}

// again returns the document's second run, nil if there is none that ended.
func (m *Mirror) again(ctx context.Context, doc *rollout.Document) *rollout.Run {
	run, err := m.config.Temporal.Shadow(ctx, doc, "b", m.config.Patience)
	if errors.Is(err, rollout.ErrDuplicate) { // it was begun with the batch
		run, _, err = m.config.Temporal.Shadowed(ctx, doc, "b", m.config.Patience)
	}
	if err != nil || run.State == rollout.RunRunning {
		return nil
	}
	return &run
}
