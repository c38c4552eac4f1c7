package main

import (
	"fmt"

	"sluice/rollout/guard"
	"sluice/rollout/guard/simulate"
)

// latencies plays the worlds in which the paths differ by their speed.
func (t *table) latencies() {
	t.part("Latency: a day of traffic, log-normal", "traffic\tTemporal\trolled back\tminutes, median (p95)\tliteral rule that fires wrongly: p99 of 5 min > 5x")
	tenAMinute := simulate.Traffic{Rate: 1.0 / 6, Exposure: 100_000}
	for _, traffic := range append([]simulate.Traffic{tenAMinute}, simulate.Traffics()[:2]...) {
		name := fmt.Sprintf("%.3g/s at %s", traffic.Rate, traffic.Exposure)
		t.slow(name, "equally fast", traffic.SameLatency())
		t.slow(name, "all of it 20 times as slow", traffic.Slowed(1, 20))
		t.slow(name, "a fifth of it 50 times as slow", traffic.Slowed(0.2, 50))
	}
}

func (t *table) slow(traffic, truth string, world simulate.Slow) {
	results := each(t, func(seed uint64) [2]int64 {
		rollback, literal := simulate.RunSlow(world, &t.config, seed, true)
		return [2]int64{rollback, literal}
	})
	harm := world.From
	var rollbacks, literal []int64
	for _, r := range results {
		rollbacks = append(rollbacks, r[0])
		if world.Factor > 0 && r[1] >= harm {
			r[1] = simulate.Never
		}
		literal = append(literal, r[1])
	}
	if world.Factor == 0 {
		harm = 0
	}
	fmt.Fprintf(t.lines, "%s\t%s\t%s\t%s\t%s\n", traffic, truth, share(rollbacks), minutes(rollbacks, harm), fired(literal))
}

// mismatches plays the worlds in which shadows disagree.
func (t *table) mismatches() {
	limit := t.config.Guardrails[guard.Mismatch].Limit
	t.part("Mismatches: a day of comparisons", "comparisons\tmismatches\trolled back\tminutes, median (p95)")
	for _, rate := range []float64{1, 10} {
		for _, times := range []float64{0.5, 1, 2, 5, 20} {
			world := simulate.Differ{Rate: rate, Mismatches: times * limit, Seconds: 86_400}
			seconds := each(t, func(seed uint64) int64 { return simulate.RunDiffer(world, &t.config, seed) })
			fmt.Fprintf(t.lines, "%v/s\t%.1f %%\t%s\t%s\n", rate, 100*times*limit, share(seconds), minutes(seconds, 0))
		}
	}
}
