package loop

import (
	"time"

	"sluice/rollout"
	"sluice/rollout/control"
	"sluice/rollout/guard"
)

const (
	// mostExposures and mostPoints bound what is remembered of the past.
	mostExposures = 50
	mostPoints    = 120
	// pointEvery is how far apart points are; the last ones before now are a second
	// apart.
	pointEvery = time.Minute
	fine       = 60
	// tickEvery is how often a tick is on record that counts nothing and decides what
	// the last one did.
	tickEvery = time.Minute
)

// Exposed is an exposure that came into force.
type Exposed struct {
	At    time.Time `json:"at"`
	Epoch uint64    `json:"epoch"`
	// Exposure is in percent.
	Exposure float64 `json:"exposure"`
	Why      string  `json:"why"`
}

// Point is the evidence at one time.
type Point struct {
	At time.Time `json:"at"`
	// Guardrails are the shares of the way to the limits, of those that have any.
	Guardrails map[string]float64 `json:"guardrails,omitempty"`
	// Legacy and Temporal are what was counted since the point before.
	Legacy   Tried `json:"legacy"`
	Temporal Tried `json:"temporal"`
}

// Tried are documents with an outcome, of which some were bad.
type Tried struct {
	Settled uint64 `json:"settled"`
	Bad     uint64 `json:"bad"`
}

// remember notes what is in force, and how far the evidence is.
func (st *State) remember(p *rollout.Policy, d *control.Decision, bin guard.Bin, c *Config, now time.Time) {
	percent := p.Exposure().Percent()
	if n := len(st.Exposures); n == 0 || st.Exposures[n-1].Exposure != percent {
		why := ceilingOf(p)
		st.Exposures = append(st.Exposures, Exposed{At: now, Epoch: p.Epoch, Exposure: percent, Why: why})
		st.Exposures = st.Exposures[max(0, len(st.Exposures)-mostExposures):]
		st.Sum = guard.Segment{}
	}
	st.Sum.Take(bin)
	point := Point{At: now, Guardrails: map[string]float64{}}
	for i := range bin.Segments {
		s := &bin.Segments[i]
		point.Legacy.Settled += s.Legacy.Settled()
		point.Legacy.Bad += s.Legacy.Bad
		point.Temporal.Settled += s.Temporal.Settled()
		point.Temporal.Bad += s.Temporal.Bad
	}
	for name, share := range st.Guard.Shares(&c.Guard, st.Guard.Second) {
		if share >= 0.005 {
			point.Guardrails[name.String()] = float64(int(share*1000)) / 1000
		}
	}
	if quiet := point.Legacy.Settled+point.Temporal.Settled == 0 && len(point.Guardrails) == 0; quiet && len(st.Course) > 0 {
		return
	}
	st.Course = thin(append(st.Course, point))
}

// ceilingOf says which ceiling is the lowest.
func ceilingOf(p *rollout.Policy) string {
	switch e := p.Exposure(); {
	case p.Kill:
		return "kill"
	case p.Brake == e && p.Brake < rollout.All:
		return "brake"
	case p.Plan == e && p.Plan < rollout.All:
		return "plan"
	}
	return "flag"
}

// thin keeps the newest points as they are, and of the older ones one a minute.
func thin(points []Point) []Point {
	kept := points[:0]
	for i, p := range points {
		recent := i >= len(points)-fine
		if n := len(kept); recent || n == 0 || p.At.Sub(kept[n-1].At) >= pointEvery {
			kept = append(kept, p)
			continue
		}
		last := &kept[len(kept)-1]
		last.Legacy = sum(last.Legacy, p.Legacy)
		last.Temporal = sum(last.Temporal, p.Temporal)
		last.Guardrails = p.Guardrails
	}
	return kept[max(0, len(kept)-mostPoints):]
}

func sum(a, b Tried) Tried { return Tried{Settled: a.Settled + b.Settled, Bad: a.Bad + b.Bad} }

// Tick is one decision on record.
type Tick struct {
	At      time.Time      `json:"at"`
	Action  control.Action `json:"action"`
	Step    string         `json:"step,omitempty"`
	Reason  string         `json:"reason"`
	Missing string         `json:"missing,omitempty"`
	Alarm   string         `json:"alarm,omitempty"`
	// Counts is how many documents had an outcome, Bin what was counted.
	Counts uint64     `json:"counts"`
	Bin    *guard.Bin `json:"bin,omitempty"`
	By     string     `json:"by"`
}

// news makes the tick's page. false: it counted nothing and decided what the one
// before did, which is on record.
func (st *State) news(d *control.Decision, bin guard.Bin) (Tick, bool) {
	last := &st.Decision
	same := d.Action == last.Action && d.Step == last.Step && d.Reason == last.Reason && d.Alarm == last.Alarm
	st.Decision = *d
	if same && len(bin.Segments) == 0 && d.At.Sub(st.Noted) < tickEvery {
		return Tick{}, false
	}
	st.Noted = d.At
	t := Tick{At: d.At, Action: d.Action, Step: d.Step, Reason: d.Reason, Missing: d.Missing, Alarm: d.Alarm, By: st.Owner}
	for i := range bin.Segments {
		t.Counts += bin.Segments[i].Legacy.Settled() + bin.Segments[i].Temporal.Settled()
	}
	if len(bin.Segments) > 0 {
		t.Bin = &bin
	}
	return t, true
}
