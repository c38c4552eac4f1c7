package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"sluice/rollout/control/loop"
)

// rolloutTicks prints the newest decisions of the control loop, the newest last.
func rolloutTicks(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	ticks, o, err := listed[loop.Tick](ctx, args, stderr, "ticks")
	if err != nil {
		return err
	}
	if len(ticks) == 0 {
		fmt.Fprintln(stderr, "nothing has been decided")
		return nil
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	if !o.json {
		fmt.Fprintln(table, "AT\tACTION\tSTEP\tCOUNTS\tWHY")
	}
	for _, t := range inOrder(ticks, func(t loop.Tick) time.Time { return t.At }) {
		if o.json {
			if _, err := fmt.Fprintf(stdout, "%s\n", t.text); err != nil {
				return err
			}
			continue
		}
		v := &t.value
		why := legible(v.Reason)
		if v.Missing != "" {
			why += "; missing: " + legible(v.Missing)
		}
		if v.Alarm != "" {
			why += "; ALARM: " + legible(v.Alarm)
		}
		step := "-"
		if v.Step != "" {
			step = printable(v.Step)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", v.At.Format(clock), v.Action, step, v.Counts, why)
	}
	return table.Flush()
}
