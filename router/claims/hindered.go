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
func (b *Book) HinderedRuns() (n int) {
	b.suspects.mu.Lock()
	defer b.suspects.mu.Unlock()
	for _, l := range b.suspects.known {
		if l.hindered {
			n++
		}
	}
	return n
}

// hinder notes whether the life's run gets on, and tells of one that does not, once.
func (b *Book) hinder(s suspect, route string, run rollout.Run) {
	if b.suspects.hinder(s, run.Hindered != "") {
		b.config.Log.Warn("a document's run does not get on: Temporal goes on trying until the run's time is over",
			zap.String("doc_id", s.docID), zap.String("route", route), zap.String("workflow_id", run.WorkflowID),
			zap.String("why", run.Hindered), zap.String("hint", "mend the worker, or terminate the workflow; sluice claims residue"))
	}
}

// hinder marks a life on the list, and reports whether that is new.
func (l *suspects) hinder(s suspect, hindered bool) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known[s.key()]
	if known == nil {
		return false
	}
	news = hindered && !known.hindered
	known.hindered = hindered
	return news
}
