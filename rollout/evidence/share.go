package evidence

import (
	"encoding/json"
	"fmt"
	"time"

	"sluice/rollout"
	"sluice/rollout/compare/certificate"
)

// Bounds of a share that is carried about.
const (
	// maxShare is what a written share may take before it is told in less detail, in
	// bytes.
	maxShare = 1 << 20
	// fewListed is how many runs are listed then.
	fewListed = 100
)

// Share is a part of the evidence that is in no store: it is written as JSON, and
// shares add up. It has no lock of its own.
type Share struct{ page *page }

// NewShare returns an empty share.
func NewShare() *Share { return &Share{newPage()} }

// Compared compares the answers and counts what it finds; a few of those that differ
// are kept, and a run that has not ended is listed.
func (s *Share) Compared(by *By, e *rollout.Exchange) {
	if e.Shadow.State == rollout.RunRunning {
		s.page.unfinished(e, time.Now().UTC())
		return
	}
	found, again := exchanged(by.Comparer, e)
	s.page.compared(e, found, again)
	s.sample(by, e, found)
}

// Dropped counts a document that is not compared. id is that of its run if that may
// have been started, or empty.
func (s *Share) Dropped(route, id string, reason rollout.DropReason) {
	s.page.drop(route, id, reason, time.Now().UTC())
}

// Add adds what another share was written as.
func (s *Share) Add(text []byte) error {
	other, err := parsePage(text)
	if err != nil {
		return fmt.Errorf("a share of the evidence cannot be read: %w", err)
	}
	s.page.merge(other)
	return nil
}

// MarshalJSON writes the share. One that has grown too large forgets which fields
// differ together: what differs then counts as a mismatch, noise or not.
func (s *Share) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(s.page)
	if err != nil || len(text) <= maxShare {
		return text, err
	}
	for _, route := range s.page.Tally {
		route.AA.Coarsen()
		route.AB.Coarsen()
	}
	s.page.Listed = s.page.Listed[max(0, len(s.page.Listed)-fewListed):]
	return json.Marshal(s.page)
}

// ReportOn is Report of a share that is in no store.
func (r *Reader) ReportOn(s *Share, gates []certificate.Gate, now time.Time) *Report {
	return r.report(s.page, nil, gates, now)
}
