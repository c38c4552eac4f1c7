package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/rollout/control"
	"sluice/rollout/control/loop"
)

// clock is how times are printed for people.
const clock = "2006-01-02 15:04:05 MST"

// rolloutPlan shows the plan.
func rolloutPlan(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("rollout plan", stderr)
	if _, err := o.parse(args); err != nil {
		return err
	}
	var v loop.View
	text, err := o.read(ctx, "/api/plan", nil, &v)
	if err != nil {
		return err
	}
	if o.json {
		_, err := fmt.Fprintf(stdout, "%s\n", text)
		return err
	}
	printPlan(stdout, &v)
	return nil
}

func printPlan(w io.Writer, v *loop.View) {
	fmt.Fprintf(w, "exposure %v %%: flag %v %%, plan %v %%, brake %v %%%s\n", v.Exposure, v.Flag, v.Plan, v.Brake, killed(v.Kill))
	if v.Leader == "" {
		fmt.Fprintln(w, "NOBODY DECIDES: no gateway leads; what was decided last is from", v.At.Format(clock))
	} else {
		fmt.Fprintf(w, "decided by %s, %s\n", printable(v.Leader), v.At.Format(clock))
	}
	printLadder(w, v)
	printDecision(w, v)
	printTally(w, v)
	printMeters(w, v.Meters)
}

func killed(kill bool) string {
	if kill {
		return "; KILLED: everything new goes to legacy"
	}
	return ""
}

// printLadder prints the steps, the one in force marked.
func printLadder(w io.Writer, v *loop.View) {
	if len(v.Steps) == 0 {
		fmt.Fprintln(w, "\nthere is no plan: the flag and the brake alone rule")
		return
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  STEP\tEXPOSURE\tDWELL\tASKS FOR")
	for i, s := range v.Steps {
		mark, dwell := " ", s.Dwell.String()
		last := i == len(v.Steps)-1
		if last {
			dwell = "-"
		}
		if s.Name == v.Step {
			mark = ">"
			if !last {
				dwell = fmt.Sprintf("%v of %v", v.Dwelt.Round(time.Second), s.Dwell)
			}
		}
		fmt.Fprintf(table, "%s %s\t%v %%\t%s\t%s\n", mark, printable(s.Name), s.Exposure, dwell, asksFor(s, last))
	}
	_ = table.Flush() // as for all that is printed
	if !v.Since.IsZero() {
		fmt.Fprintf(w, "in step %s since %s\n", printable(v.Step), v.Since.Format(clock))
	}
}

// asksFor says what it takes to leave the step.
func asksFor(s loop.Step, last bool) string {
	if last {
		return "-"
	}
	var parts []string
	if s.Errors {
		parts = append(parts, "errors")
	}
	if s.Agreement {
		parts = append(parts, "agreement")
	}
	for _, gate := range s.Gates {
		parts = append(parts, "gate "+printable(gate))
	}
	if s.Approval {
		parts = append(parts, "approval")
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

// printDecision prints what was decided last, and what operators have to do with it.
func printDecision(w io.Writer, v *loop.View) {
	d := &v.Decision
	fmt.Fprintf(w, "\n%s: %s\n", d.Action, legible(d.Reason))
	if d.Missing != "" {
		fmt.Fprintln(w, "missing:", legible(d.Missing))
	}
	if d.Alarm != "" {
		fmt.Fprintln(w, "ALARM:", legible(d.Alarm))
	}
	if v.Unhealthy {
		fmt.Fprintln(w, "legacy itself is unhealthy: nothing is rolled back onto it by itself")
	}
	for _, b := range v.Breaches {
		fmt.Fprintf(w, "BREACHED: %s, %s (%s)\n", b.Guardrail, time.Unix(b.Second, 0).UTC().Format(clock), b.Action)
	}
	printAct(w, "held by", v.Held, "; sluice rollout resume lets it go on")
	printAct(w, "lowered by", v.Disarmed, "; sluice rollout rearm lets it rise again")
	printAct(w, "approved by", v.Approval, "")
	if v.Due && v.Approval == nil {
		fmt.Fprintf(w, "an approval is due: sluice rollout approve %s -reason ...\n", printable(v.Step))
	}
}

// printAct prints what a human did, if anybody did.
func printAct(w io.Writer, what string, act *control.Act, then string) {
	if act != nil {
		fmt.Fprintf(w, "%s %s, %s: %s%s\n", what, printable(act.By), act.At.Format(clock), printable(act.Reason), then)
	}
}

// printTally prints the evidence of the step.
func printTally(w io.Writer, v *loop.View) {
	if len(v.Steps) > 0 {
		fmt.Fprintln(w)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  IN THIS STEP\tASSIGNED\tGOOD\tBAD\tINVALID")
		for _, arm := range []struct {
			name string
			loop.Arm
		}{{"legacy", v.Tally.Legacy}, {"Temporal", v.Tally.Temporal}} {
			fmt.Fprintf(table, "  %s\t%d\t%d\t%d\t%d\n", arm.name, arm.Assigned, arm.Good, arm.Bad, arm.Invalid)
		}
		_ = table.Flush()
		fmt.Fprintf(w, "  %d of %d comparisons differ\n", v.Tally.Mismatched, v.Tally.Compared)
	}
	if len(v.Thresholds) == 3 {
		fmt.Fprintf(w, "a document of Temporal is slow above %v (p50), %v (p90), %v (p99)\n", v.Thresholds[0], v.Thresholds[1], v.Thresholds[2])
	} else {
		fmt.Fprintln(w, "latencies are not judged yet: too few are known of legacy")
	}
}
