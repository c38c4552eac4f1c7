package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"text/tabwriter"

	"sluice/rollout/guard"
	"sluice/rollout/guard/simulate"
)

// table plays the worlds and writes a line for each.
type table struct {
	out    io.Writer
	config guard.Config
	runs   int
	seed   uint64
	lines  *tabwriter.Writer
}

func (t *table) print() {
	t.part("Errors: a day of traffic, legacy 0.5 % bad; minutes are from the harm",
		"traffic\tTemporal\trolled back\tminutes, median (p95)\tbad documents\tliteral rules that fire wrongly: > 2x\tthree in a row\twith >= 20")
	for _, traffic := range simulate.Traffics() {
		for _, ratio := range []float64{1, 1.5, 2} {
			t.errors(traffic.String(), fmt.Sprintf("%v times as bad", ratio), traffic.Steady(ratio))
		}
		t.errors(traffic.String(), "5 outages of both paths", traffic.Outages())
		t.errors(traffic.String(), "5 poisoned, 50 retries", traffic.Poisoned(50, false))
		t.errors(traffic.String(), "the same, each counted", traffic.Poisoned(50, true))
		t.errors(traffic.String(), "legacy 5 %, Temporal 0.5 %", traffic.Ailing(0.05, 0.005))
		t.errors(traffic.String(), "becomes 10 times as bad", traffic.Harmed(0.05))
		t.errors(traffic.String(), "half of it fails", traffic.Harmed(0.5))
	}
	t.part("Errors: a week at 10 % exposure, both 1 % bad",
		"traffic\tTemporal\trolled back\tminutes, median (p95)\tbad documents\tliteral rules: > 2x\tthree in a row\twith >= 20")
	for _, perMinute := range []float64{10, 100} {
		name := fmt.Sprintf("%v/min at 10%%", perMinute)
		t.errors(name, "no difference", simulate.Alike(perMinute))
		t.errors(name, "30 times as bad", simulate.Regression(perMinute))
	}
	t.latencies()
	t.mismatches()
	t.lines.Flush()
}

func (t *table) part(title, header string) {
	if t.lines != nil {
		t.lines.Flush()
		fmt.Fprintln(t.out)
	}
	fmt.Fprintf(t.out, "%s. %d runs each.\n", title, t.runs)
	t.lines = tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t.lines, header)
}

// each plays on all processors and keeps the results in the order of the seeds.
func each[R any](t *table, play func(seed uint64) R) []R {
	results := make([]R, t.runs)
	next := make(chan int)
	var players sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		players.Go(func() {
			for i := range next {
				results[i] = play(t.seed + uint64(i))
			}
		})
	}
	for i := range results {
		next <- i
	}
	close(next)
	players.Wait()
	return results
}

func (t *table) errors(traffic, truth string, world simulate.World) {
	results := each(t, func(seed uint64) simulate.Result { return simulate.Run(world, &t.config, seed, true) })
	harm := world.Harm()
	var rollbacks []int64
	bad := uint64(0)
	var literal [3][]int64
	for _, r := range results {
		rollbacks = append(rollbacks, r.Rollback)
		bad += r.Bad
		for rule, second := range r.Literal {
			if harm > 0 && second >= harm {
				second = simulate.Never // it is right
			}
			literal[rule] = append(literal[rule], second)
		}
	}
	mean := "-"
	if simulate.Happened(rollbacks) > 0 && harm > 0 {
		mean = fmt.Sprintf("%.0f", float64(bad)/float64(t.runs))
	}
	fmt.Fprintf(t.lines, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", traffic, truth, share(rollbacks), minutes(rollbacks, harm), mean,
		fired(literal[0]), fired(literal[1]), fired(literal[2]))
}

// share returns how many of the runs it happened in.
func share(seconds []int64) string {
	return fmt.Sprintf("%.1f %%", 100*float64(simulate.Happened(seconds))/float64(len(seconds)))
}

// fired adds how soon it happened, if it mostly did.
func fired(seconds []int64) string {
	text := share(seconds)
	if median := simulate.Quantile(seconds, 0.5); median != simulate.Never {
		text += fmt.Sprintf(" (after %d min)", median/60)
	}
	return text
}

// minutes returns the time since the harm, if it mostly happened.
func minutes(seconds []int64, since int64) string {
	one := func(q float64) string {
		if s := simulate.Quantile(seconds, q); s != simulate.Never {
			return fmt.Sprintf("%.1f", float64(s-since)/60)
		}
		return "never"
	}
	if one(0.5) == "never" {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", one(0.5), one(0.95))
}
