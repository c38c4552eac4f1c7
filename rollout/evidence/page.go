package evidence

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/compare/tally"
)

// Bounds of one page.
const (
	// maxListed is how many runs are listed by ID; of more, the newest.
	maxListed = 1000
	// maxHeirs is how many gateways are remembered whose share is in a page.
	maxHeirs = 1000
)

// page is one gateway's share of the evidence, with what it has inherited.
type page struct {
	Tally tally.Tally      `json:"tally"`
	Books map[string]*book `json:"books"`
	// Listed are runs that were started, or may have been, and did not complete.
	Listed []Listed `json:"listed,omitempty"`
	// Ended are runs that are counted here and may still stand in the note of what
	// runs.
	Ended []string `json:"ended,omitempty"`
	// Heirs are the gateways whose share this page has inherited, what ran of them
	// included.
	Heirs []string `json:"heirs,omitempty"`
	// Samples are of a share that is in no store; gateways keep theirs in the album.
	Samples []kept `json:"samples,omitempty"`
}

// book is what became of one route's sampled documents.
type book struct {
	// Completed counts the shadow runs that ended, ListedRuns those that were
	// started and are listed instead.
	Completed  uint64 `json:"completed,omitempty"`
	ListedRuns uint64 `json:"listed,omitempty"`
	// Dropped counts what was not mirrored, by reason.
	Dropped map[string]uint64 `json:"dropped,omitempty"`
	// Legacy and Shadow are how long the two took with the same documents.
	Legacy latencies `json:"legacy"`
	Shadow latencies `json:"shadow"`
	// Matched says how often each rule matched.
	Matched compare.Matches `json:"matched,omitempty"`
}

// run is a shadow run that is under way.
type run struct {
	Route string    `json:"route"`
	Since time.Time `json:"since"`
}

// Listed is a shadow run that did not complete.
type Listed struct {
	ID    string    `json:"id"`
	Route string    `json:"route"`
	Why   string    `json:"why"`
	At    time.Time `json:"at"`
}

// WhyUnfinished is of a run that did not end within its patience; any other reason
// is a rollout.DropReason.
const WhyUnfinished = "unfinished"

func newPage() *page { return &page{Tally: tally.Tally{}, Books: map[string]*book{}} }

func (p *page) book(route string) *book {
	if p.Books[route] == nil {
		p.Books[route] = &book{Dropped: map[string]uint64{}, Legacy: latencies{}, Shadow: latencies{}}
	}
	return p.Books[route]
}

// compared counts a comparison, and that of the second run if there was one.
func (p *page) compared(e *rollout.Exchange, found compare.Comparison, again *compare.Comparison) {
	route, b := p.Tally.Route(e.Route), p.book(e.Route)
	route.AB.Add(found)
	if again != nil {
		route.AA.Add(*again)
	}
	b.Completed++
	b.timed(e)
	b.Matched = b.Matched.Add(found.Matches)
}

// timed counts how long the two took, unless that is not known of both.
func (b *book) timed(e *rollout.Exchange) {
	if e.ShadowTook > 0 {
		b.Legacy.add(e.PrimaryTook)
		b.Shadow.add(e.ShadowTook)
	}
}

// unfinished lists a run that did not end while it was waited for.
func (p *page) unfinished(e *rollout.Exchange, now time.Time) {
	p.book(e.Route).timed(e)
	p.list(Listed{ID: e.ID, Route: e.Route, Why: WhyUnfinished, At: now})
}

// drop counts a sampled document that is not compared. A run that was begun and may
// have been started is listed.
func (p *page) drop(route, id string, reason rollout.DropReason, now time.Time) {
	b := p.book(route)
	b.Dropped[reason.String()]++
	if id != "" && (reason == rollout.DropRestart || reason == rollout.DropUnknown) {
		p.list(Listed{ID: id, Route: route, Why: reason.String(), At: now})
	}
}

func (p *page) list(l Listed) {
	p.book(l.Route).ListedRuns++
	p.Listed = append(p.Listed, l)
	p.Listed = p.Listed[max(0, len(p.Listed)-maxListed):]
}

// merge adds another's share.
func (p *page) merge(other *page) {
	p.Tally.Merge(other.Tally)
	for route, b := range other.Books {
		mine := p.book(route)
		mine.Completed += b.Completed
		mine.ListedRuns += b.ListedRuns
		for reason, n := range b.Dropped {
			mine.Dropped[reason] += n
		}
		mine.Legacy.merge(b.Legacy)
		mine.Shadow.merge(b.Shadow)
		mine.Matched = mine.Matched.Add(b.Matched)
	}
	p.Listed = append(p.Listed, other.Listed...)
	slices.SortStableFunc(p.Listed, func(a, b Listed) int { return a.At.Compare(b.At) })
	p.Listed = p.Listed[max(0, len(p.Listed)-maxListed):]
	for _, k := range other.Samples {
		p.keep(k)
	}
	p.Heirs = append(p.Heirs, other.Heirs...)
	p.Heirs = p.Heirs[max(0, len(p.Heirs)-maxHeirs):]
}

// inherit adds what a gateway left that is gone. A store that replaces and removes
// in two steps may leave it to be inherited again, by the one that has it already.
func (p *page) inherit(left *estate, now time.Time) {
	if slices.Contains(p.Heirs, left.owner) {
		return
	}
	p.merge(left.share)
	for _, id := range slices.Sorted(maps.Keys(left.ran)) {
		if !slices.Contains(left.share.Ended, id) {
			p.drop(left.ran[id].Route, id, rollout.DropRestart, now)
		}
	}
	p.Heirs = append(p.Heirs, left.owner)
}

// clone returns a copy that shares nothing.
func (p *page) clone() (*page, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return parsePage(text)
}

func parsePage(text []byte) (*page, error) {
	p := newPage()
	if err := json.Unmarshal(text, p); err != nil {
		return nil, err
	}
	for route := range p.Books { // members that were empty are not written
		b := p.Books[route]
		if b.Dropped == nil {
			b.Dropped = map[string]uint64{}
		}
		if b.Legacy == nil {
			b.Legacy = latencies{}
		}
		if b.Shadow == nil {
			b.Shadow = latencies{}
		}
	}
	return p, nil
}
