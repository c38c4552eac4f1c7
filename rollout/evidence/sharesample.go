package evidence

import (
	"context"
	"encoding/json"
	"slices"

	"sluice/rollout"
	"sluice/rollout/compare"
)

// Bounds of the samples of one share. They are small, for a share travels often.
const (
	shareAlike       = 3        // of comparisons that differ in the same fields
	shareSamples     = 64 << 10 // all of them, in bytes
	shareSampleBody  = 4 << 10  // of one body
	shareDifferences = 20       // of one comparison
)

// kept is a sample in a share.
type kept struct {
	// Alike is the comparison's signature.
	Alike  string          `json:"alike"`
	Sample json.RawMessage `json:"sample"`
}

// sample keeps a comparison that differs, if there are few of its kind yet. One that
// cannot be kept is counted all the same.
func (s *Share) sample(by *By, e *rollout.Exchange, found compare.Comparison) {
	if !differs(found) {
		return
	}
	k := kept{Alike: signature(e.Route, found)}
	if !s.page.room(k) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
	defer cancel()
	var err error
	if k.Sample, err = by.sample(ctx, e, found, shareSampleBody, shareDifferences); err == nil {
		s.page.keep(k)
	}
}

// keep adds a sample if there is room for it.
func (p *page) keep(k kept) {
	if p.room(k) {
		p.Samples = append(p.Samples, k)
	}
}

// room reports whether the sample may be kept. Those that came first stay, so the sum
// of the same shares is always the same.
func (p *page) room(k kept) bool {
	alike, bytes := 0, len(k.Sample)
	for _, other := range p.Samples {
		bytes += len(other.Sample)
		if other.Alike == k.Alike {
			alike++
		}
	}
	return alike < shareAlike && bytes <= shareSamples
}

// samples are those of a share: first one of each kind.
func (p *page) samples() []Sample {
	var rounds [shareAlike][]Sample
	seen := map[string]int{}
	for _, k := range p.Samples {
		var s Sample
		if seen[k.Alike] < shareAlike && json.Unmarshal(k.Sample, &s) == nil {
			rounds[seen[k.Alike]] = append(rounds[seen[k.Alike]], s)
			seen[k.Alike]++
		}
	}
	return slices.Concat(rounds[:]...)
}
