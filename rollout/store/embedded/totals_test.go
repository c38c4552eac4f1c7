package embedded

import (
	"math/rand/v2"
	"slices"
	"testing"

	"sluice/rollout"
)

// What is new is found whatever has been dropped on either side. Each look asks for it,
// several times a second, so it takes one pass over both.
func TestLessIsWhatWasAdded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var now, before totals
		var want rollout.Counts
		for range 300 {
			c := rollout.Count{Epoch: random.Uint64N(20), Exposure: rollout.Exposure(random.Uint64N(2)), Event: rollout.Event(random.Uint64N(3)), Times: 1 + random.Uint64N(3)}
			now.add(c)
			if random.Uint64N(3) == 0 {
				before.add(c)
			}
		}
		for range random.IntN(3) {
			before.dropOldest()
			now.strike(now.counts[random.IntN(len(now.counts))])
		}
		for _, c := range now.counts {
			if had := before.of(c); c.Times > had {
				c.Times -= had
				want.Add(c)
			}
		}
		if got := now.less(&before); !slices.Equal(got, want) {
			t.Fatalf("%v\nless %v\nis %v\nwant %v", now.counts, before.counts, got, want)
		}
	}
}
