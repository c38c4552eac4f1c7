package simulate

import (
	"sluice/rollout"
	"sluice/rollout/guard"
)

// Differ is a world in which shadows disagree with their primaries.
type Differ struct {
	// Rate is the comparisons a second.
	Rate float64
	// Mismatches is their rate, 0..1.
	Mismatches float64
	Seconds    int64
}

// RunDiffer plays the world until the guardrails roll back, and returns the
// second of it.
func RunDiffer(world Differ, c *guard.Config, seed uint64) int64 {
	source, state := newSource(seed), guard.State{}
	for second := range world.Seconds {
		same := source.poisson(world.Rate * (1 - world.Mismatches))
		other := source.poisson(world.Rate * world.Mismatches)
		if same+other == 0 {
			continue
		}
		bin := guard.Bin{Second: epoch + second}
		*bin.At(1, rollout.None) = guard.Segment{Epoch: 1, Compared: same + other, Mismatched: other}
		if err := state.Step(bin, c); err != nil {
			panic(err) // the seconds of a run only grow
		}
		if len(state.Breaches(c)) > 0 {
			return second
		}
	}
	return Never
}
