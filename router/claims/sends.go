package claims

import (
	"context"
	"sync"

	"sluice/rollout"
)

// sends counts the requests to legacy that this process has under way, so that
// the record can be put right after the store was away.
type sends struct {
	mu    sync.Mutex
	count map[sendKey]uint32 // guarded by mu
}

type sendKey struct {
	docID  string
	intent rollout.Intent
}

func (s *sends) begin(t *Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[sendKey{t.DocID, t.Intent}]++
}

func (s *sends) end(t *Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sendKey{t.DocID, t.Intent}
	if s.count[key]--; s.count[key] == 0 {
		delete(s.count, key)
	}
}

// rename moves the ticket's count to the intent that its claim turns out to have.
func (s *sends) rename(t *Ticket, to rollout.Intent) {
	s.end(t)
	t.Intent = to
	s.begin(t)
}

func (s *sends) of(docID string, intent rollout.Intent) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[sendKey{docID, intent}]
}

// reconcile puts the record of one intent right after a change of which nobody
// knows whether it was stored. It returns the claim as it then is, or nil.
func (b *Book) reconcile(ctx context.Context, s suspect) (*rollout.Claim, error) {
	t := &Ticket{book: b, DocID: s.docID, Intent: s.intent}
	var now *rollout.Claim
	err := t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		// A request is counted here before it is in the record, and longer.
		h.Correct(s.intent, b.config.Owner, b.sends.of(s.docID, s.intent), at)
		now = nil
		if c := h.Find(s.intent); c != nil {
			copied := *c
			now = &copied
		}
		return nil
	})
	return now, err
}
