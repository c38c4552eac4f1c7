package chaos

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// act is something that the harness does to one of the others.
type act uint8

const (
	kill act = iota
	terminate
	freeze
)

// event is an act that falls due when a number of wishes has begun.
type event struct {
	at    int
	act   act
	which int           // of the gateways
	down  time.Duration // until it is started again or thawed
}

// schedule is who is hit when. It follows from the seed.
type schedule struct {
	gateways, temporal, postgres []event
}

// plan spreads the kills over the wishes: most on gateways, the rest on Temporal
// and the database. Frosts and orderly stops come on top.
func (c *Config) plan() schedule {
	rng := rand.New(rand.NewPCG(c.Seed, 0x4b111))
	ofPostgres := 0
	if c.Store == StorePostgres {
		ofPostgres = c.Kills / 16
	}
	ofTemporal := c.Kills / 5
	spread := func(n int, act act, longest time.Duration) (events []event) {
		for i := range n {
			at := (float64(i) + rng.Float64()) / float64(n) * float64(c.Intents) * 0.96
			events = append(events, event{
				at: 1 + int(at), act: act, which: rng.IntN(c.Gateways),
				down: time.Duration(rng.Float64() * float64(longest)),
			})
		}
		return events
	}
	s := schedule{
		gateways: slices.Concat(spread(c.Kills-ofTemporal-ofPostgres, kill, 300*time.Millisecond),
			spread(c.Kills/10, terminate, 100*time.Millisecond), spread(c.Kills/8, freeze, 2*lease)),
		temporal: slices.Concat(spread(ofTemporal, kill, 2*time.Second), spread(c.Kills/10, freeze, 4*time.Second)),
		postgres: slices.Concat(spread(ofPostgres, kill, 1500*time.Millisecond), spread(ofPostgres/2, terminate, 500*time.Millisecond)),
	}
	for _, events := range [...][]event{s.gateways, s.temporal, s.postgres} {
		slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	}
	return s
}
