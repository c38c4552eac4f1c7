package shadow

import (
	"context"
	"errors"

	"sluice/rollout"
)

// waitFor waits for a document's runs by itself, once fewer than Parallel are waited for
// so. Until then the batch waits, and with it what would come after.
func (m *Mirror) waitFor(ctx context.Context, j *job, found rollout.Mirrored) {
	select {
	case m.slow <- struct{}{}:
	case <-ctx.Done():
		m.release(j, j.id, rollout.DropRestart)
		return
	}
	m.late.Go(func() {
		defer func() { <-m.slow }()
		m.follow(ctx, j, found)
	})
}

// follow waits for the runs of a document that take longer than a batch waits: as long as
// the patience says, or until Temporal ends them, which is soon after that.
func (m *Mirror) follow(ctx context.Context, j *job, found rollout.Mirrored) {
	if found.Run.State == rollout.RunRunning {
		var err error
		found.Run, found.Took, err = m.config.Temporal.Shadowed(ctx, &j.doc, "a", m.config.Patience)
		switch {
		case err != nil:
			m.release(j, j.id, dropped(ctx, err))
			return
		case found.Run.State == rollout.RunRunning && ctx.Err() != nil:
			m.release(j, j.id, rollout.DropRestart)
			return
		}
	}
	if j.pair && found.Run.State != rollout.RunRunning {
		found.Again = m.again(ctx, j)
	}
	m.hand(j, &found)
}

// again returns the document's second run, nil if there is none that ended. It is begun
// now, unless it was with the batch, or is not wanted any more.
func (m *Mirror) again(ctx context.Context, j *job) *rollout.Run {
	if _, wanted := m.wanted(j.doc.Route); !wanted {
		return nil
	}
	run, err := m.config.Temporal.Shadow(ctx, &j.doc, "b")
	if errors.Is(err, rollout.ErrDuplicate) {
		run, _, err = m.config.Temporal.Shadowed(ctx, &j.doc, "b", m.config.Patience)
	}
	if err != nil || run.State == rollout.RunRunning {
		return nil
	}
	return &run
}
