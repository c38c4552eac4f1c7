package simulate

import (
	"math"
	"slices"
	"time"

	"sluice/rollout"
	"sluice/rollout/guard"
)

// Slow is a world in which the paths differ by their latency alone: log-normal,
// with a median of 100 ms.
type Slow struct {
	Rate     float64
	Exposure rollout.Exposure
	// Spread is the standard deviation of the latency's logarithm.
	Spread float64
	// From a second on, a share of Temporal's documents takes Factor times as long.
	From    int64
	Factor  float64
	Share   float64
	Seconds int64
}

// slowRun is such a world being played.
type slowRun struct {
	world      *Slow
	source     source
	state      guard.State
	recent     []time.Duration // legacy's last ones
	thresholds guard.Thresholds
	known      bool
	windows    [5]struct{ legacy, temporal []time.Duration }
}

// RunSlow plays the world until the guardrails roll back, or, if the literal rule
// should be seen ("p99 of five minutes above five times legacy's"), until its
// end. It returns the second of each.
func RunSlow(world Slow, c *guard.Config, seed uint64, all bool) (rollback, literal int64) {
	r := slowRun{world: &world, source: newSource(seed)}
	rollback, literal = Never, Never
	for second := int64(0); second < world.Seconds && (rollback == Never || all && literal == Never); second++ {
		bin := guard.Bin{Second: epoch + second}
		if s := bin.At(1, world.Exposure); !r.second(second, s) {
			continue
		}
		if rollback == Never {
			if err := r.state.Step(bin, c); err != nil {
				panic(err) // the seconds of a run only grow
			}
			if len(r.state.Breaches(c)) > 0 {
				rollback = second
			}
		}
		if second%60 == 59 && r.minute() && literal == Never {
			literal = second
		}
	}
	return rollback, literal
}

// second plays one and reports whether there is something to look at.
func (r *slowRun) second(second int64, s *guard.Segment) bool {
	n := r.source.poisson(r.world.Rate)
	for range n {
		latency := 0.1 * math.Exp(r.world.Spread*r.source.NormFloat64())
		temporal := r.source.Float64() < s.Share()
		if temporal && second >= r.world.From && r.source.Float64() < r.world.Share {
			latency *= r.world.Factor
		}
		r.document(s, time.Duration(latency*float64(time.Second)), temporal)
	}
	return n > 0 || second%60 == 59
}

func (r *slowRun) document(s *guard.Segment, latency time.Duration, temporal bool) {
	w := &r.windows[0]
	if !temporal {
		s.Legacy.Good++
		w.legacy = append(w.legacy, latency)
		r.recent = append(r.recent, latency)
		return
	}
	s.Temporal.Good++
	w.temporal = append(w.temporal, latency)
	if r.known {
		r.thresholds.Judge(&s.Temporal, latency, false)
	}
}

// minute refreshes the thresholds and reports whether the literal rule fires.
func (r *slowRun) minute() bool {
	r.recent = r.recent[max(0, len(r.recent)-guard.MostSamples):]
	r.thresholds, r.known = guard.NewThresholds(r.recent)
	var legacy, temporal []time.Duration
	for _, w := range r.windows {
		legacy = append(legacy, w.legacy...)
		temporal = append(temporal, w.temporal...)
	}
	copy(r.windows[1:], r.windows[:4])
	r.windows[0].legacy, r.windows[0].temporal = nil, nil
	return len(legacy) > 0 && len(temporal) > 0 && p99(temporal) > guard.Slower*p99(legacy)
}

func p99(latencies []time.Duration) time.Duration {
	slices.Sort(latencies)
	return latencies[int(math.Ceil(0.99*float64(len(latencies))))-1]
}
