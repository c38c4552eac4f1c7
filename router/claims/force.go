package claims

import (
	"context"

	"sluice/rollout"
)

// Force settles an open life by an operator's word, whatever is known of it, and
// whether or not it still runs somewhere. It fails with rollout.ErrClaimGone or
// rollout.ErrNotSettling, or with ErrStore, and then nobody knows whether it was settled.
func (b *Book) Force(ctx context.Context, docID string, intent rollout.Intent, life uint64, state rollout.ClaimState) error {
	t := &Ticket{book: b, DocID: docID, Intent: intent, Grant: rollout.Grant{Life: life}}
	return t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Force(intent, life, state, at)
	})
}
