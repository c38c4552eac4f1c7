package simulate

import (
	"math"
	"sluice/rollout"
	"time"
)

// between is the time between two retries of a poisoned document, in seconds.
const between = 10

// nextPoison returns the first second from this one on in which a poisoned
// document is sent.
func (r *run) nextPoison(second int64) int64 {
	p := r.world.Poison
	if p.Documents == 0 {
		return math.MaxInt64
	}
	distance := r.world.Seconds / p.Documents
	document, into := second/distance, second%distance
	if next := (into + between - 1) / between * between; next < p.Retries*between {
		return document*distance + next
	}
	return (document + 1) * distance
}

// poison returns how many bad events of the second count, and how many requests
// there were.
func (r *run) poison(second int64) (counted, sent uint64) {
	if r.nextPoison(second) != second {
		return 0, 0
	}
	document, now, last := second/(r.world.Seconds/r.world.Poison.Documents), time.Unix(epoch+second, 0), time.Time{}
	if at, ok := r.lastBad[document]; ok {
		last = time.Unix(at, 0)
	}
	if !r.world.Poison.EachCounts && !rollout.CountsAgain(last, now) {
		return 0, 1
	}
	r.lastBad[document] = now.Unix()
	return 1, 1
}
