package claims

import (
	"context"

	"sluice/rollout"
)

// Restore puts a life on record that Temporal has, after claims were lost. The
// resolver finds out how it stands. document is the document's key as the run's memo has
// it; it may be empty unless the workflow ID is folded.
//
// delayed: its start was delayed, and may be held back still.
func (b *Book) Restore(ctx context.Context, route, workflowID, document string, delayed bool) error {
	docID, intent, life, ok := b.config.IDs.Parse(workflowID, document)
	if !ok {
		return nil // not one of ours
	}
	err := b.update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) error {
		h.Restore(intent, life, route, b.config.Owner, rollout.ClaimOpen, delayed, at)
		return nil
	})
	if err == nil {
		b.suspects.add(suspect{docID: docID, intent: intent, life: life})
	}
	return err
}
