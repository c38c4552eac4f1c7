package claims

import (
	"context"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Hindered asks Temporal what keeps the run of a life from getting on; empty if nothing is
// known to, or Temporal cannot be asked before ctx ends.
func (b *Book) Hindered(ctx context.Context, route, docID string, intent rollout.Intent, life uint64) string {
	run, _, err := b.config.Temporal.Lookup(ctx, route, b.WorkflowID(docID, intent, life))
	if err != nil {
		return ""
	}
	return run.Hindered
}

// HinderedRuns returns how many runs do not get on, of those that this gateway's resolver
// looks after.
func (b *Book) HinderedRuns() int {
	b.suspects.mu.Lock()
	defer b.suspects.mu.Unlock()
	return b.suspects.hindered
}

// hinder notes whether the life's run gets on, and tells of the first that does not: where
// a worker is to blame there may be thousands.
func (b *Book) hinder(s suspect, route string, run rollout.Run) {
	if b.suspects.hinder(s, run.Hindered != "") {
		b.config.Log.Warn("a document's run does not get on, and maybe not alone: Temporal goes on trying until the run's time is over",
			zap.String("doc_id", s.docID), zap.String("route", route), zap.String("workflow_id", run.WorkflowID),
			zap.String("why", run.Hindered), zap.String("hint", "mend the worker, or terminate the workflow; sluice claims open lists all"))
	}
}

// hinder marks a life on the list, and reports whether it is the first that is hindered.
func (l *suspects) hinder(s suspect, hindered bool) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.hindered
	l.mark(l.known[s.key()], hindered)
	return before == 0 && l.hindered == 1
}

// mark marks a listed life as hindered, or as not. l.mu is held.
func (l *suspects) mark(known *listed, hindered bool) {
	if known == nil || known.hindered == hindered {
		return
	}
	if known.hindered = hindered; hindered {
		l.hindered++
	} else {
		l.hindered--
	}
}
