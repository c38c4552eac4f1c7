package simulate

import (
	"fmt"

	"sluice/rollout"
)

const (
	dayLong  = 86_400
	weekLong = 7 * dayLong
	// settled is when harm begins: the pace of the traffic is known by then.
	settled = 4 * 3_600
	// base is legacy's bad rate.
	base = 0.005
)

// Traffic is a volume and how it is split.
type Traffic struct {
	Rate     float64
	Exposure rollout.Exposure
}

// Traffics are those that the scenarios are played with.
func Traffics() []Traffic {
	return []Traffic{{1, 100_000}, {10, 100_000}, {100, 100_000}, {10, 500_000}}
}

// String returns it as tables show it.
func (t Traffic) String() string { return fmt.Sprintf("%v/s at %s", t.Rate, t.Exposure) }

// Steady is a day in which Temporal is some times as bad as legacy.
func (t Traffic) Steady(ratio float64) World {
	return World{Rate: t.Rate, Exposure: t.Exposure, Legacy: base, Temporal: base * ratio, Seconds: dayLong}
}

// Harmed is a day in which Temporal becomes bad after some hours.
func (t Traffic) Harmed(temporal float64) World {
	w := t.Steady(1)
	w.Shocks = []Shock{{From: settled, Seconds: dayLong, Legacy: base, Temporal: temporal}}
	return w
}

// Outages is a day in which something that both paths need fails five times for
// two minutes.
func (t Traffic) Outages() World {
	w := t.Steady(1)
	for i := range int64(5) {
		w.Shocks = append(w.Shocks, Shock{From: (2*i + 1) * dayLong / 10, Seconds: 120, Legacy: 0.3, Temporal: 0.3})
	}
	return w
}

// Poisoned is a day in which five documents fail however often they are sent.
func (t Traffic) Poisoned(retries int64, eachCounts bool) World {
	w := t.Steady(1)
	w.Poison = Poison{Documents: 5, Retries: retries, EachCounts: eachCounts}
	return w
}

// Ailing is a day in which legacy is bad, and Temporal less so.
func (t Traffic) Ailing(legacy, temporal float64) World {
	w := t.Steady(1)
	w.Legacy, w.Temporal = legacy, temporal
	return w
}

// Alike is a week without any difference, in which the literal rules fire.
func Alike(perMinute float64) World {
	return World{Rate: perMinute / 60, Exposure: 100_000, Legacy: 0.01, Temporal: 0.01, Seconds: weekLong}
}

// Regression is a week in which Temporal is thirty times as bad.
func Regression(perMinute float64) World {
	w := Alike(perMinute)
	w.Temporal = 30 * w.Legacy
	return w
}

// SameLatency is a day in which the paths are equally fast.
func (t Traffic) SameLatency() Slow {
	return Slow{Rate: t.Rate, Exposure: t.Exposure, Spread: 1, From: dayLong, Seconds: dayLong}
}

// Slowed is a day in which after an hour a share of Temporal's documents takes
// some times as long.
func (t Traffic) Slowed(share, factor float64) Slow {
	s := t.SameLatency()
	s.From, s.Share, s.Factor = 3_600, share, factor
	return s
}
