package claims

import (
	"context"
	"errors"
	"time"

	"sluice/rollout"
)

// lingers counts for the guardrails, once, that the life is late, or has been
// without an outcome for too long.
func (t *Ticket) lingers(ctx context.Context, c *rollout.Claim) error {
	limits, horizon := t.book.config.Thresholds(), t.book.config.EvidenceHorizon
	if !c.Lingers(limits, horizon, time.Now()) {
		return nil
	}
	err := t.change(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Linger(t.Intent, t.Life, limits, horizon, at)
	})
	if errors.Is(err, rollout.ErrClaimGone) {
		return nil
	}
	return err
}
