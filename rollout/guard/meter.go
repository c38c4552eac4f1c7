package guard

import (
	"math"

	"sluice/rollout"
)

// Meter is the power of one guardrail: how far its evidence is, and what it could
// see.
type Meter struct {
	Guardrail Name   `json:"guardrail"`
	Action    Action `json:"action"`
	// Evidence is the share of the way to the limit, 0..1, on a log scale.
	Evidence float64 `json:"evidence"`
	// Breached is the second of the breach, or 0.
	Breached int64 `json:"breached,omitempty"`
	// Noticed is the least harm, a ratio or a rate as the limit is, that would be
	// noticed within an hour at the present traffic; 0 if none would be.
	Noticed float64 `json:"noticed,omitempty"`
	// Alone is how many more bad documents breach, if only they come; 0 if no
	// number does, or the limit is breached.
	Alone uint64 `json:"alone,omitempty"`
	// AtFive is how many more bad documents of Temporal breach if it is five
	// times as bad as legacy, or as the limit of a rate; 0 as in Alone.
	AtFive uint64 `json:"at_five,omitempty"`
}

// five is the harm that AtFive tells of.
const five = 5

// Meters returns all of them, as of the second, at the present exposure.
func (s *State) Meters(c *Config, exposure rollout.Exposure, second int64) []Meter {
	var meters []Meter
	for _, name := range Names() {
		g, d := c.Guardrails[name], s.Detectors[name]
		if d == nil {
			d = &Detector{}
		}
		m := Meter{Guardrail: name, Action: g.Action, Breached: d.Breached}
		if name.kind() == count {
			m.Evidence = min(1, float64(d.Bad))
			if d.Bad == 0 {
				m.Alone, m.AtFive = 1, 1
			}
		} else {
			fitted := *d // fit gives a new one its own evidence
			fitted.fit(&g)
			p := power{name.kind(), &g, &fitted, name.share(exposure), fitted.logA(&g, s.From, second)}
			m.Evidence = min(1, logMean(fitted.L)/p.logA)
			m.Alone, m.AtFive = p.alone(c.Floor), p.atFive()
			m.Noticed = p.noticed(fitted.Events.perHour(s.From, second), s.Documents.perHour(s.From, second), c.Floor)
		}
		meters = append(meters, m)
	}
	return meters
}

// Shares returns each guardrail's evidence, as Meter.Evidence.
func (s *State) Shares(c *Config, second int64) map[Name]float64 {
	shares := make(map[Name]float64, len(names))
	for _, name := range Names() {
		g, d := c.Guardrails[name], s.Detectors[name]
		switch {
		case d == nil:
		case name.kind() == count:
			shares[name] = min(1, float64(d.Bad))
		case len(d.L) > 0:
			shares[name] = max(0, min(1, logMean(d.L)/d.logA(&g, s.From, second)))
		}
	}
	return shares
}

// share returns the suspect's share of the documents.
func (n Name) share(exposure rollout.Exposure) float64 {
	w := (&Segment{Exposure: exposure}).Share()
	if n == ValidityLess {
		return 1 - w
	}
	return w
}

// power is what one detector could see.
type power struct {
	kind  kind
	g     *Guardrail
	d     *Detector
	share float64
	logA  float64
}

// blind reports whether there is nothing to compare with.
func (p *power) blind() bool { return p.kind == ratio && (p.share <= 0 || p.share >= 1) }

// after returns the evidence after some events, which need not be whole.
func (p *power) after(start []float64, suspect, other float64) float64 {
	l := make([]float64, len(p.g.Alternatives))
	for j, alternative := range p.g.Alternatives {
		w := p.g.weigh(p.kind, alternative, p.share)
		l[j] = max(0, start[j]+suspect*w.suspect+other*w.other)
	}
	return logMean(l)
}

// fewest returns the least n, up to a billion, for which enough holds, or 0.
func fewest(enough func(n float64) bool) uint64 {
	const most = 1 << 30
	high := 1.0
	for !enough(high) {
		if high *= 2; high > most {
			return 0
		}
	}
	low := math.Floor(high / 2)
	for high-low > 1 {
		if middle := math.Floor((low + high) / 2); enough(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return uint64(high)
}

func (p *power) alone(floor float64) uint64 {
	if p.blind() || p.d.Breached != 0 {
		return 0
	}
	return fewest(func(n float64) bool {
		if p.after(p.d.L, n, 0) < p.logA {
			return false
		}
		return p.kind != ratio || rollout.WilsonLower(p.d.Bad+uint64(n), p.d.All+uint64(n), z) > floor
	})
}

func (p *power) atFive() uint64 {
	if p.blind() || p.d.Breached != 0 {
		return 0
	}
	between := (1 - p.share) / (five * p.share) // legacy's bad ones for each
	if p.kind == rate {
		harm := min(five*p.g.Limit, p.g.Alternatives[len(p.g.Alternatives)-1])
		between = (1 - harm) / harm
	}
	return fewest(func(n float64) bool { return p.after(p.d.L, n, n*between) >= p.logA })
}

// noticed looks for the least harm that breaches from no evidence, by the events
// and documents of an hour. If legacy had no bad ones it is taken to be at the
// floor.
func (p *power) noticed(events, documents, floor float64) float64 {
	if p.blind() || documents == 0 {
		return 0
	}
	none := make([]float64, len(p.g.Alternatives))
	if p.kind == rate {
		return least(p.g.Limit, 1, func(harm float64) bool {
			return p.after(none, events*harm, events*(1-harm)) >= p.logA
		})
	}
	odds := p.share / (1 - p.share)
	other := events / (1 + p.g.Limit*odds)
	if other == 0 {
		other = floor * documents * (1 - p.share)
	}
	served := documents * p.share
	return least(p.g.Limit, served/(other*odds), func(harm float64) bool {
		suspect := other * odds * harm
		return p.after(none, suspect, other) >= p.logA &&
			rollout.WilsonLower(uint64(suspect), max(uint64(served), uint64(suspect)), z) > floor
	})
}

// least returns the least harm between the two that is noticed, or 0.
func least(low, high float64, noticed func(harm float64) bool) float64 {
	if !(high > low) || !noticed(high) {
		return 0
	}
	for range 40 {
		if middle := (low + high) / 2; noticed(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
