package guard

import (
	"errors"
	"fmt"
	"slices"
)

// ErrPast says that a second was stepped over before.
var ErrPast = errors.New("this second has been counted")

// State is all evidence. Its zero value has none. It is stored as JSON, which
// gives back the very same numbers. Copies share their evidence, but for those of Clone.
type State struct {
	// From and Second are the first and the last second that were counted.
	From   int64 `json:"from"`
	Second int64 `json:"second"`
	// Since is the first epoch whose documents can be evidence of harm.
	Since uint64 `json:"since,omitempty"`
	// Detectors are the guardrails' evidence.
	Detectors map[Name]*Detector `json:"detectors"`
	// Documents assigned, on both arms.
	Documents Paces `json:"documents"`
	// Legacy is its absolute health, and Shared how slow it is.
	Legacy Health `json:"legacy"`
	Shared Shared `json:"shared"`
}

// Step takes in the sum of what all gateways counted in one second. Seconds in
// which nothing was counted may be left out. It fails with ErrPast, and changes
// nothing, if that second or a later one was taken in before.
func (s *State) Step(bin Bin, c *Config) error {
	if s.From != 0 && bin.Second <= s.Second {
		return fmt.Errorf("second %d, after %d: %w", bin.Second, s.Second, ErrPast)
	}
	if s.From == 0 {
		s.From = bin.Second
	}
	s.Second = bin.Second
	bin = bin.ordered()
	s.Shared.add(&bin)
	s.Legacy.add(&bin)
	for i := range bin.Segments {
		seg := &bin.Segments[i]
		s.Documents.add(bin.Second, float64(seg.Legacy.Assigned+seg.Temporal.Assigned))
	}
	bin = bin.since(s.Since)
	trouble := s.Shared.rate(P99, &bin) > sharedTrouble
	for i := range names {
		g := c.Guardrails[Name(i)]
		null := g.Limit
		if q, latency := Name(i).quantile(); latency {
			if trouble {
				continue
			}
			null = max(null, s.Shared.rate(q, &bin))
		}
		s.detector(Name(i)).step(Name(i), &g, &bin, s.From, c.Floor, null)
	}
	return nil
}

// Clone returns a copy that shares nothing with the state.
func (s *State) Clone() State {
	c := *s
	c.Detectors = make(map[Name]*Detector, len(s.Detectors))
	for name, d := range s.Detectors {
		copied := *d
		copied.Against, copied.L = slices.Clone(d.Against), slices.Clone(d.L)
		c.Detectors[name] = &copied
	}
	return c
}

func (s *State) detector(name Name) *Detector {
	if s.Detectors == nil {
		s.Detectors = make(map[Name]*Detector, len(names))
	}
	d := s.Detectors[name]
	if d == nil {
		d = &Detector{}
		s.Detectors[name] = d
	}
	return d
}

// Reset forgets the evidence of harm, as a release does, and what documents that were
// assigned before the epoch will still bring. The pace of the traffic and legacy's
// health stay.
func (s *State) Reset(epoch uint64) {
	s.Since = epoch
	for _, d := range s.Detectors {
		d.reset()
	}
}

// Breach is a limit that was crossed.
type Breach struct {
	Guardrail Name   `json:"guardrail"`
	Action    Action `json:"action"`
	// Second is that of the bin that crossed it.
	Second int64 `json:"second"`
}

// Breaches lists the limits that are crossed.
func (s *State) Breaches(c *Config) []Breach {
	var breaches []Breach
	for _, name := range Names() {
		if d := s.Detectors[name]; d != nil && d.Breached != 0 {
			breaches = append(breaches, Breach{name, c.Guardrails[name].Action, d.Breached})
		}
	}
	return breaches
}

// Breached reports whether the guardrail's limit is crossed.
func (s *State) Breached(name Name) bool {
	d := s.Detectors[name]
	return d != nil && d.Breached != 0
}

// Unhealthy reports whether legacy itself is proved unhealthy at the second.
func (s *State) Unhealthy(c *Config, second int64) bool {
	return s.Legacy.Unhealthy(c.Unhealthy, second)
}
