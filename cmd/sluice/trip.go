package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/rollout/control/loop"
)

// mostTrips is how far back a report can be asked for.
const mostTrips = 1000

// rolloutTrip prints the report of one automatic rollback.
func rolloutTrip(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("rollout trip", stderr)
	found, err := o.collect(args)
	if err != nil {
		return err
	}
	n := 1
	switch {
	case len(found) > 1:
		return o.wrong("unexpected argument %q", found[1])
	case len(found) == 1:
		if n, err = strconv.Atoi(found[0]); err != nil || n < 1 || n > mostTrips {
			return o.wrong("N: %q is not a number from 1 (the newest) to %d", found[0], mostTrips)
		}
	}
	if err := o.open(); err != nil {
		return err
	}
	trips, err := list[loop.Trip](ctx, o, "trips", n)
	if err != nil {
		return err
	}
	if len(trips) < n {
		return fmt.Errorf("there are %d reports of automatic rollbacks\nhint: sluice rollout ticks lists what was decided", len(trips))
	}
	trips = inOrder(trips, func(t loop.Trip) time.Time { return t.At })
	trip := trips[len(trips)-n]
	if o.json {
		_, err := fmt.Fprintf(stdout, "%s\n", trip.text)
		return err
	}
	printTrip(stdout, &trip.value)
	return nil
}

func printTrip(w io.Writer, t *loop.Trip) {
	fmt.Fprintf(w, "%s  rolled back from %v %% to %v %% for %s\n", t.At.Format(clock), t.From, t.To, printable(t.Guardrail))
	fmt.Fprintf(w, "cause: %s\n", legible(t.Cause))
	if t.Step != "" {
		fmt.Fprintf(w, "in step %s, epoch %d\n", printable(t.Step), t.Epoch)
	} else {
		fmt.Fprintf(w, "without a plan, epoch %d\n", t.Epoch)
	}
	printCounters(w, &t.Counters)
	printMoments(w, t.Evidence)
	printFailed(w, t.Documents)
	printHistory(w, t.History)
	printBuilds(w, t.Builds)
	printMeters(w, t.Meters)
}

// titled begins a table with a title.
func titled(w io.Writer, title, columns string) *tabwriter.Writer {
	fmt.Fprintf(w, "\n%s\n", title)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  "+columns)
	return table
}

func printCounters(w io.Writer, c *loop.Counters) {
	table := titled(w, "counters", "PATH\tASSIGNED\tGOOD\tBAD\tINVALID")
	fmt.Fprintf(table, "  legacy\t%d\t%d\t%d\t%d\n", c.Legacy.Assigned, c.Legacy.Good, c.Legacy.Bad, c.Legacy.Invalid)
	fmt.Fprintf(table, "  Temporal\t%d\t%d\t%d\t%d\n", c.Temporal.Assigned, c.Temporal.Good, c.Temporal.Bad, c.Temporal.Invalid)
	_ = table.Flush()
	if slow := c.Temporal.Slow; len(slow) == 3 {
		fmt.Fprintf(w, "  of %d of Temporal's that were judged were slow: %d (p50), %d (p90), %d (p99)\n", c.Temporal.Judged, slow[0], slow[1], slow[2])
	}
	fmt.Fprintf(w, "  dead letters: %d\n", c.Temporal.DeadLetters)
}

// printMoments prints the evidence over time, of the guardrails that had any.
func printMoments(w io.Writer, moments []loop.Point) {
	if len(moments) == 0 {
		return
	}
	table := titled(w, "the evidence, as a share of the way to each limit", "AT\tLEGACY BAD\tTEMPORAL BAD\tGUARDRAILS")
	for _, m := range moments {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(m.Guardrails)) {
			if share := m.Guardrails[name]; share > 0 {
				parts = append(parts, fmt.Sprintf("%s %.0f %%", printable(name), 100*share))
			}
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", m.At.Format(clock), badOf(m.Legacy), badOf(m.Temporal), cmp.Or(strings.Join(parts, ", "), "-"))
	}
	_ = table.Flush()
}

func badOf(t loop.Tried) string { return fmt.Sprintf("%d of %d", t.Bad, t.Settled) }

func printFailed(w io.Writer, documents []loop.Document) {
	if len(documents) == 0 {
		return
	}
	table := titled(w, "the last documents that failed", "AT\tPATH\tOUTCOME\tDOC_ID\tREASON")
	for _, d := range documents {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", d.At.Format(clock), printable(d.Path), printable(d.Outcome), printable(d.DocID), printable(d.Reason))
	}
	_ = table.Flush()
}

func printHistory(w io.Writer, history []loop.Exposed) {
	if len(history) == 0 {
		return
	}
	table := titled(w, "what was in force", "AT\tEPOCH\tEXPOSURE\tWHY")
	for _, e := range history {
		fmt.Fprintf(table, "  %s\t%d\t%v %%\t%s\n", e.At.Format(clock), e.Epoch, e.Exposure, printable(e.Why))
	}
	_ = table.Flush()
}

func printBuilds(w io.Writer, builds []loop.Build) {
	if len(builds) == 0 {
		return
	}
	table := titled(w, "workers", "DEPLOYMENT\tCURRENT\tRAMPING")
	for _, b := range builds {
		current, ramping := "-", "-"
		if b.Current != "" {
			current = printable(b.Current)
		}
		if b.Ramping != "" {
			ramping = fmt.Sprintf("%s at %v %%", printable(b.Ramping), b.RampPercent)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", printable(b.Deployment), current, ramping)
	}
	_ = table.Flush()
}
