package guard

import (
	"math"
	"slices"

	"sluice/rollout"
)

// z is the normal quantile of a two-sided interval of 95 %.
const z = 1.959964

// Detector is one guardrail's evidence.
type Detector struct {
	// Against is the limit and the alternatives that L was gathered for. Evidence
	// for other ones is void.
	Against []float64 `json:"against,omitempty"`
	// L is the evidence for each alternative, as a logarithm.
	L []float64 `json:"l,omitempty"`
	// Bad and All are the suspect's bad and all settled documents since all of L
	// was last at zero.
	Bad uint64 `json:"bad,omitempty"`
	All uint64 `json:"all,omitempty"`
	// Events are those to expect of a path that is at the limit.
	Events Paces `json:"events,omitzero"`
	// Breached is the second of the breach, or 0.
	Breached int64 `json:"breached,omitempty"`
}

// fit makes the detector one for the guardrail.
func (d *Detector) fit(g *Guardrail) {
	same := len(d.L) == len(g.Alternatives) && len(d.Against) == len(g.Alternatives)+1 &&
		d.Against[0] == g.Limit && slices.Equal(d.Against[1:], g.Alternatives)
	if !same {
		*d = Detector{
			Against: append([]float64{g.Limit}, g.Alternatives...),
			L:       make([]float64, len(g.Alternatives)),
			Events:  d.Events,
		}
	}
}

// reset forgets the evidence, but not the pace of the traffic.
func (d *Detector) reset() {
	clear(d.L)
	d.Bad, d.All, d.Breached = 0, 0, 0
}

// zero reports whether there is no evidence.
func (d *Detector) zero() bool {
	return !slices.ContainsFunc(d.L, func(l float64) bool { return l > 0 })
}

// logA returns the logarithm of the evidence that breaches.
func (d *Detector) logA(g *Guardrail, from, now int64) float64 {
	return math.Log(max(g.Least, d.Events.perDay(from, now)/g.Alpha))
}

// step takes in one second. Floor is the rate below which a ratio is of no
// interest; from is when the counting began; null is the limit, or more if legacy
// itself is beyond it.
func (d *Detector) step(name Name, g *Guardrail, b *Bin, from int64, floor, null float64) {
	if name.kind() == count {
		for i := range b.Segments {
			d.Bad += b.Segments[i].Lost + b.Segments[i].Doubled
		}
		if d.Bad > 0 && d.Breached == 0 {
			d.Breached = b.Second
		}
		return
	}
	d.fit(g)
	if !d.add(name, g, b, null) {
		return
	}
	if d.zero() {
		d.Bad, d.All = 0, 0
		if g.Action != Rollback {
			d.Breached = 0
		}
		return
	}
	if d.Breached == 0 && d.over(name.kind(), g, from, b.Second, floor) {
		d.Breached = b.Second
	}
}

// over reports whether the evidence is enough.
func (d *Detector) over(k kind, g *Guardrail, from, now int64, floor float64) bool {
	e := logMean(d.L)
	if e < math.Log(g.Least) || e < d.logA(g, from, now) {
		return false
	}
	return k != ratio || rollout.WilsonLower(d.Bad, d.All, z) > floor
}

// add moves the evidence by the sum of the bin's events, and reports whether
// there was anything to count.
func (d *Detector) add(name Name, g *Guardrail, b *Bin, null float64) (any bool) {
	k := name.kind()
	against := *g
	against.Limit = null
	var sums [16]float64
	moved := sums[:0]
	for range d.L {
		moved = append(moved, 0)
	}
	for i := range b.Segments {
		var events pair
		expected := 0.0
		if k == ratio {
			events = name.pair(&b.Segments[i])
			expected = float64(events.other) * (1 + g.Limit*events.share/(1-events.share))
		} else {
			bad, trials := name.trials(&b.Segments[i], g)
			events = pair{suspect: bad, other: trials - bad, settled: trials}
			expected = float64(trials)
		}
		any = any || events.settled > 0 || events.suspect > 0 || events.other > 0
		d.Bad += events.suspect
		d.All += events.settled
		d.Events.add(b.Second, expected)
		if events.suspect == 0 && events.other == 0 {
			continue
		}
		for j, alternative := range g.Alternatives {
			if k == ratio || alternative > null {
				moved[j] += against.weigh(k, alternative, events.share).of(events.suspect, events.other)
			}
		}
	}
	for j, sum := range moved {
		d.L[j] = max(0, d.L[j]+sum)
	}
	return any
}
