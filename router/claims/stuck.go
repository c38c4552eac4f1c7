package claims

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"sluice/rollout"
)

// stick notes that only an operator can settle the life. It is looked at again all
// the same, but told of once: the mark is on record, for all gateways.
func (t *Ticket) stick(ctx context.Context) error {
	var found rollout.Claim
	err := t.change(ctx, func(h *rollout.Holding, _ rollout.Instant) error {
		if c := h.Find(t.Intent); c != nil {
			found = *c
		}
		return h.Stick(t.Intent, t.Life, true)
	})
	switch {
	case errors.Is(err, rollout.ErrClaimGone), errors.Is(err, rollout.ErrMoved):
		return nil // the next look goes by what is on record now
	case err != nil || found.Stuck:
		return err
	}
	t.book.config.Observer.ClaimStuck(found.Route)
	t.book.config.Log.Error("a claim can only be settled by an operator: Temporal took the document, or may have, and no longer knows it",
		zap.String("doc_id", t.DocID), zap.String("intent", string(t.Intent)), zap.Uint64("life", t.Life), zap.String("hint", "sluice claims settle"))
	return nil
}
