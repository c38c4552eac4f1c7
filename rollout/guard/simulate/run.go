package simulate

import (
	"sluice/rollout/guard"
)

// epoch is when a run begins, on the second of a day and of every slot.
const epoch = 20_000 * 86_400

// Result is when a world was rolled back, in seconds from its beginning.
type Result struct {
	// Rollback is that of the guardrails.
	Rollback int64
	// Literal are those of the literal rules; they are told of every request.
	Literal [rules]int64
	// Documents and Bad count Temporal's up to the rollback since the last shock
	// began.
	Documents uint64
	Bad       uint64
}

// run is a world being played.
type run struct {
	world   *World
	config  *guard.Config
	source  source
	state   guard.State
	literal literal
	good    guard.Segment // not fed yet
	result  Result
	lastBad map[int64]int64 // when a poisoned document last counted
}

// Run plays the world until the guardrails roll back, or, if all of the literal
// rules should be seen, until its end.
func Run(world World, c *guard.Config, seed uint64, all bool) Result {
	r := run{world: &world, config: c, source: newSource(seed), literal: newLiteral(), lastBad: map[int64]int64{}}
	r.result.Rollback = Never
	for second := int64(0); second < world.Seconds && (all || r.result.Rollback == Never); {
		second = r.minute(second, min(second/60*60+60, world.Seconds))
		if second%60 == 0 {
			r.literal.look(second)
		}
	}
	r.result.Literal = r.literal.fired
	return r.result
}

// minute plays until the end of a minute, or of the rates in force; events
// without a memory may be cut off anywhere. It returns how far it came.
func (r *run) minute(second, end int64) int64 {
	pl, pt, until := r.world.at(second)
	end = min(end, until)
	w := (&guard.Segment{Exposure: r.world.Exposure}).Share()
	badL, badT := r.world.Rate*(1-w)*pl, r.world.Rate*w*pt
	for second < end {
		quiet := min(r.source.gap(badL+badT), end-second)
		if p := r.nextPoison(second); p < second+quiet {
			quiet = p - second
		}
		fine := float64(quiet)
		eventful := second+quiet < end
		if eventful {
			fine++
		}
		goodT := r.source.poisson(fine * (r.world.Rate*w - badT))
		goodL := r.source.poisson(fine * (r.world.Rate*(1-w) - badL))
		r.count(second+quiet, goodT, goodL)
		second += quiet
		if eventful {
			r.events(second, badL, badT)
			second++
		}
	}
	return second
}

// events plays one second with bad documents.
func (r *run) events(second int64, badL, badT float64) {
	n := uint64(0)
	if r.nextPoison(second) != second {
		n = r.source.some(badL + badT)
	} else if badL+badT > 0 {
		n = r.source.poisson(badL + badT)
	}
	k := uint64(0)
	if n > 0 {
		k = r.source.of(n, badT/(badL+badT))
	}
	counted, sent := r.poison(second)
	m := &r.literal.minutes[0]
	m.temporal.Bad += k + sent
	m.temporal.All += k + sent
	m.legacy.Bad += n - k
	m.legacy.All += n - k
	if r.result.Rollback == Never {
		r.feed(second, k+counted, n-k)
	}
}

// count adds good documents to what is fed with the next bad one.
func (r *run) count(second int64, temporal, legacy uint64) {
	r.good.Temporal.Good += temporal
	r.good.Legacy.Good += legacy
	m := &r.literal.minutes[0]
	m.temporal.All += temporal
	m.legacy.All += legacy
	if r.result.Rollback == Never && second >= r.world.Harm() {
		r.result.Documents += temporal
	}
}

// feed gives the guardrails the good documents since the last bad ones, as of the
// second before, and then the bad ones.
func (r *run) feed(second int64, temporal, legacy uint64) {
	now := epoch + second
	if r.state.Second < now-1 && r.good != (guard.Segment{}) {
		r.step(now-1, r.good)
		r.good = guard.Segment{}
	}
	s := r.good
	s.Temporal.Bad, s.Legacy.Bad = temporal, legacy
	r.good = guard.Segment{}
	r.step(now, s)
	if second >= r.world.Harm() {
		r.result.Bad += temporal
		r.result.Documents += temporal
	}
	for _, b := range r.state.Breaches(r.config) {
		if b.Action == guard.Rollback {
			r.result.Rollback = second
		}
	}
}

func (r *run) step(second int64, s guard.Segment) {
	s.Epoch, s.Exposure = 1, r.world.Exposure
	s.Temporal.Assigned, s.Legacy.Assigned = s.Temporal.Settled(), s.Legacy.Settled()
	bin := guard.Bin{Second: second, Segments: []guard.Segment{s}}
	if err := r.state.Step(bin, r.config); err != nil {
		panic(err) // the seconds of a run only grow
	}
}
