package claims

import (
	"context"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Stalled asks Temporal what keeps the run of a life from getting on; empty if nothing is
// known to, or Temporal cannot be asked before ctx ends.
func (b *Book) Stalled(ctx context.Context, route, docID string, intent rollout.Intent, life uint64) string {
	run, _, err := b.config.Temporal.Lookup(ctx, route, b.WorkflowID(docID, intent, life))
	if err != nil {
		return ""
	}
	return run.Stalled
}

// StalledRuns returns how many runs do not get on, of those that this gateway's resolver
// looks after.
func (b *Book) StalledRuns() int {
	b.suspects.mu.Lock()
	defer b.suspects.mu.Unlock()
	return b.suspects.stalled
}

// noteStalled notes whether the life's run gets on, and tells of the first that does not: where
// a worker is to blame there may be thousands.
func (b *Book) noteStalled(s suspect, route string, run rollout.Run) {
	if b.suspects.noteStalled(s, run.Stalled != "") {
		b.config.Log.Warn("a document's run does not get on, and maybe not alone: Temporal goes on trying until the run's time is over",
			zap.String("doc_id", s.docID), zap.String("route", route), zap.String("workflow_id", run.WorkflowID),
			zap.String("why", run.Stalled), zap.String("hint", "mend the worker, or terminate the workflow; sluice claims open lists all"))
	}
}

// noteStalled marks a life on the list, and reports whether it is the first that is stalled.
func (l *suspects) noteStalled(s suspect, stalled bool) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.stalled
	l.mark(l.known[s.key()], stalled)
	return before == 0 && l.stalled == 1
}

// mark marks a listed life as stalled, or as not. l.mu is held.
func (l *suspects) mark(known *listed, stalled bool) {
	if known == nil || known.stalled == stalled {
		return
	}
	if known.stalled = stalled; stalled {
		l.stalled++
	} else {
		l.stalled--
	}
}
