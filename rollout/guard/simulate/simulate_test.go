package simulate

import (
	"testing"

	"sluice/rollout/guard"
)

// rollbacks plays a world several times, from one seed on.
func rollbacks(world World, runs int, all bool) (results []Result, seconds []int64) {
	c := guard.Defaults()
	for seed := range runs {
		result := Run(world, &c, uint64(seed), all)
		results = append(results, result)
		seconds = append(seconds, result.Rollback)
	}
	return results, seconds
}

// runs are how often each traffic is played: the more of it, the longer it takes.
func runs() []int { return []int{100, 30, 2, 30} }

// A path that is no worse, or half as bad again, is not rolled back; one that is
// exactly at the limit hardly ever.
func TestFalseRollbacks(t *testing.T) {
	for i, traffic := range Traffics() {
		for ratio, allowed := range map[float64]float64{1: 0, 1.5: 0, 2: 0.07} {
			t.Run(traffic.String(), func(t *testing.T) {
				t.Parallel()
				n := max(1, runs()[i]/less)
				if ratio < 2 {
					n = n/4 + 1
				}
				if _, got := rollbacks(traffic.Steady(ratio), n, false); float64(Happened(got)) > allowed*float64(n) {
					t.Errorf("ratio %v: rolled back on %d of %d days", ratio, Happened(got), n)
				}
			})
		}
	}
}

// The times are those of the design's table, and a quarter.
func TestTimeToDetect(t *testing.T) {
	for i, want := range []struct{ median10, p10, median50, p50 float64 }{
		{47, 92, 2.5, 4.5},
		{6, 12.5, 0.5, 0.8},
		{0.8, 1.5, 0.2, 0.2},
		{4, 6.8, 0.2, 0.5},
	} {
		traffic, n := Traffics()[i], max(runs()[i]/2, 12)
		t.Run(traffic.String(), func(t *testing.T) {
			t.Parallel()
			within(t, traffic.Harmed(10*base), n, want.median10, want.p10)
			within(t, traffic.Harmed(0.5), n, want.median50, want.p50)
		})
	}
}

// within checks the minutes from the harm to the rollback.
func within(t *testing.T, world World, n int, median, p95 float64) {
	t.Helper()
	_, seconds := rollbacks(world, n, false)
	for i, s := range seconds {
		if s != Never && s < settled {
			t.Fatalf("rolled back %d seconds before the harm", settled-s)
		}
		if s != Never {
			seconds[i] = s - settled
		}
	}
	for q, limit := range map[float64]float64{0.5: median, 0.95: p95} {
		if got := Quantile(seconds, q); got == Never || float64(got) > 1.25*60*limit {
			t.Errorf("Temporal bad at %v: quantile %v is %.1f minutes, want %v", world.Shocks[0].Temporal, q, float64(got)/60, limit)
		}
	}
}

// Half of the documents fail: a worker that is down costs few of them.
func TestFewDocumentsAreHarmed(t *testing.T) {
	results, _ := rollbacks(Traffics()[0].Harmed(0.5), 100, false)
	sum := uint64(0)
	for _, r := range results {
		sum += r.Bad
	}
	if mean := float64(sum) / 100; mean > 12 {
		t.Errorf("%v documents failed before the rollback, of about 7", mean)
	}
}

func TestSharedOutageTripsNothing(t *testing.T) {
	for i, traffic := range Traffics() {
		n := max(runs()[i]/4/less, 2)
		if _, got := rollbacks(traffic.Outages(), n, false); Happened(got) > 0 {
			t.Errorf("%s: rolled back on %d of %d days", traffic, Happened(got), n)
		}
		if traffic.Rate < 10 {
			continue // the outage is over after about four bad documents
		}
		alone := traffic.Outages()
		for i := range alone.Shocks {
			alone.Shocks[i].Legacy = base
		}
		if _, got := rollbacks(alone, 2, false); Happened(got) < 2 {
			t.Errorf("%s: the same outage of Temporal alone: rolled back on %d of 2 days", traffic, Happened(got))
		}
	}
}

func TestPoisonTripsNothing(t *testing.T) {
	for _, traffic := range Traffics()[:2] {
		if _, got := rollbacks(traffic.Poisoned(50, false), 40, false); Happened(got) > 0 {
			t.Errorf("%s: rolled back on %d of 40 days", traffic, Happened(got))
		}
		if _, got := rollbacks(traffic.Poisoned(50, true), 40, false); Happened(got) < 30 {
			t.Errorf("%s: with every retry counted: rolled back on only %d of 40 days", traffic, Happened(got))
		}
	}
}

func TestWorseLegacyTripsNothing(t *testing.T) {
	for _, traffic := range Traffics()[:2] {
		for _, rates := range [][2]float64{{0.05, 0.005}, {0.3, 0.1}, {0.02, 0.02}} {
			if _, got := rollbacks(traffic.Ailing(rates[0], rates[1]), 5, false); Happened(got) > 0 {
				t.Errorf("%s, legacy %v, Temporal %v: rolled back on %d of 5 days", traffic, rates[0], rates[1], Happened(got))
			}
		}
	}
}

// What is replaced: rules that fire where nothing is wrong, or are blind.
func TestLiteralRules(t *testing.T) {
	alike, seconds := rollbacks(Alike(10), 20, true)
	if n := Happened(seconds); n > 0 {
		t.Errorf("the guardrails rolled back in %d of 20 weeks", n)
	}
	for _, r := range alike {
		if r.Literal[Twice] == Never || r.Literal[Thrice] == Never {
			t.Errorf("%q did not fire in a week", Twice)
		}
	}
	harmed, seconds := rollbacks(Regression(10), 20, true)
	if n := Happened(seconds); n < 20 {
		t.Errorf("the guardrails saw a regression in only %d of 20 weeks", n)
	}
	blind := 0
	for _, r := range harmed {
		if r.Literal[Twenty] == Never {
			blind++
		}
	}
	if blind < 18 {
		t.Errorf("%q was blind in only %d of 20 weeks", Twenty, blind)
	}
}

func TestLatency(t *testing.T) {
	c := guard.Defaults()
	traffic := Traffics()[0]
	for seed := range uint64(max(1, 3/less)) {
		if rollback, _ := RunSlow(traffic.SameLatency(), &c, seed, false); rollback != Never {
			t.Errorf("equal latencies: rolled back after %d seconds", rollback)
		}
		for name, world := range map[string]Slow{
			"all of it twenty times as slow":    traffic.Slowed(1, 20),
			"a fifth of it fifty times as slow": traffic.Slowed(0.2, 50),
		} {
			if rollback, _ := RunSlow(world, &c, seed, false); rollback < 3_600 || rollback > 3_600+3_600 {
				t.Errorf("%s: rolled back after %d seconds", name, rollback-3_600)
			}
		}
	}
	alike := Traffic{Rate: 1.0 / 6, Exposure: 100_000}.SameLatency()
	alike.Seconds = weekLong / 2
	if rollback, literal := RunSlow(alike, &c, 1, true); rollback != Never || literal == Never {
		t.Errorf("equal latencies, ten documents a minute: guardrails after %d seconds, the literal rule after %d", rollback, literal)
	}
}

func TestMismatches(t *testing.T) {
	c := guard.Defaults()
	for rate, check := range map[float64]func(second int64) bool{
		0:     func(s int64) bool { return s == Never },
		0.005: func(s int64) bool { return s == Never },
		0.05:  func(s int64) bool { return s != Never && s < 900 },
		0.5:   func(s int64) bool { return s != Never && s < 60 },
	} {
		for seed := range uint64(max(1, 3/less)) {
			if got := RunDiffer(Differ{Rate: 1, Mismatches: rate, Seconds: dayLong}, &c, seed); !check(got) {
				t.Errorf("%v: rolled back after %d seconds", rate, got)
			}
		}
	}
}

// Good documents that are fed as one sum lead to the same rollback as when each
// second is fed.
func TestSkippingQuietSecondsChangesNothing(t *testing.T) {
	c := guard.Defaults()
	for seed := range uint64(20) {
		source := newSource(seed)
		var each guard.State
		sums := run{world: &World{Exposure: 100_000}, config: &c}
		sums.result.Rollback = Never
		rollback := Never
		for second := int64(0); second < 20_000 && rollback == Never; second++ {
			s := guard.Segment{Epoch: 1, Exposure: 100_000}
			s.Legacy.Good, s.Legacy.Bad = source.poisson(9), source.poisson(0.05)
			s.Temporal.Good, s.Temporal.Bad = source.poisson(1), source.poisson(0.03)
			if err := each.Step(guard.Bin{Second: epoch + second, Segments: []guard.Segment{s}}, &c); err != nil {
				t.Fatal(err)
			}
			for _, b := range each.Breaches(&c) {
				if b.Action == guard.Rollback {
					rollback = second
				}
			}
			if s.Legacy.Bad+s.Temporal.Bad == 0 {
				sums.count(second, s.Temporal.Good, s.Legacy.Good)
				continue
			}
			sums.good.Temporal.Good += s.Temporal.Good
			sums.good.Legacy.Good += s.Legacy.Good
			sums.feed(second, s.Temporal.Bad, s.Legacy.Bad)
		}
		if rollback == Never || sums.result.Rollback != rollback {
			t.Errorf("seed %d: rolled back at %d, each second fed at %d", seed, sums.result.Rollback, rollback)
		}
	}
}
