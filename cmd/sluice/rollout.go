package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"sluice/router/operator"
)

const rolloutUsage = `usage: sluice rollout COMMAND [flags]

  status      what may go to Temporal now, and who set the brake, when and why
  ceiling N   lower the brake to N percent
  release     lift the brake

sluice rollout COMMAND -h lists a command's flags.

What goes to Temporal is the lowest of three ceilings: the flag's, the plan's and
the brake's. The brake stays as it is set, on all gateways and across restarts, until
it is released. Documents in flight stay where they are. sluice rollback is the
brake at 0.
`

// runRollout shows and moves the brake through a gateway's operator API.
func runRollout(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "status":
			return rolloutStatus(ctx, args[1:], stdout, stderr)
		case "ceiling":
			return rolloutCeiling(ctx, args[1:], stdout, stderr)
		case "release":
			return rolloutRelease(ctx, args[1:], stdout, stderr)
		case "help", "-h", "-help", "--help":
			fmt.Fprint(stdout, rolloutUsage)
			return flag.ErrHelp
		}
	}
	fmt.Fprint(stderr, rolloutUsage)
	return errUsage
}

// runRollback sets the brake to 0.
func runRollback(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := newBrakeAct("rollback", stderr)
	if _, err := a.parse(args); err != nil {
		return err
	}
	return a.set(ctx, 0, stdout)
}

func rolloutCeiling(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := newBrakeAct("rollout ceiling", stderr)
	found, err := a.parse(args, "N")
	if err != nil {
		return err
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(found[0], "%"), 64)
	if err != nil || !(percent >= 0 && percent < 100) {
		return a.wrong("N: %q is not a percentage from 0 to below 100", found[0])
	}
	return a.set(ctx, percent, stdout)
}

func rolloutRelease(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := newBrakeAct("rollout release", stderr)
	if _, err := a.parse(args); err != nil {
		return err
	}
	return a.act(ctx, "/api/brake/release", operator.BrakeChange{}, stdout)
}

// brakeAct is a command that moves the brake.
type brakeAct struct {
	*operated
	reason string
}

func newBrakeAct(name string, stderr io.Writer) *brakeAct {
	a := &brakeAct{operated: newOperated(name, stderr)}
	a.flags.StringVar(&a.reason, "reason", "", "why, in your words; it is put on record")
	return a
}

func (a *brakeAct) set(ctx context.Context, percent float64, stdout io.Writer) error {
	return a.act(ctx, "/api/brake", operator.BrakeChange{Ceiling: &percent}, stdout)
}

func (a *brakeAct) act(ctx context.Context, path string, change operator.BrakeChange, stdout io.Writer) error {
	if change.Reason = a.reason; strings.TrimSpace(a.reason) == "" {
		return a.wrong("-reason: say why; it is put on record")
	}
	var done operator.Braked
	if err := a.post(ctx, path, change, &done); err != nil {
		return err
	}
	if a.json {
		return writeLine(stdout, done)
	}
	record := "NOT on record in the audit"
	if done.Audit > 0 {
		record = fmt.Sprintf("entry %d of the audit", done.Audit)
	}
	fmt.Fprintf(stdout, "the brake is at %v %%; %s\n", done.Ceiling, record)
	if done.Pending != "" {
		fmt.Fprintf(stdout, "NOT YET EVERYWHERE, it is tried again each second: %s\n", done.Pending)
	}
	return nil
}

func rolloutStatus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("rollout status", stderr)
	if _, err := o.parse(args); err != nil {
		return err
	}
	var r operator.Rollout
	text, err := o.read(ctx, "/api/rollout", nil, &r)
	if err != nil {
		return err
	}
	if o.json {
		_, err := fmt.Fprintf(stdout, "%s\n", text)
		return err
	}
	fmt.Fprintf(stdout, "%v %% of new documents may go to Temporal (epoch %d)\n", r.Effective, r.Epoch)
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  flag\t%v %%\n  plan\t%v %%\n  brake\t%v %%%s\n  mirrored\t%v %%\n  kill\t%v\n", r.Flag, r.Plan, r.Brake, setBy(&r), r.Shadow, r.Kill)
	return table.Flush()
}

// setBy says who set the brake, if anybody did.
func setBy(r *operator.Rollout) string {
	var b strings.Builder
	if r.Actor != "" {
		fmt.Fprintf(&b, ", set to %v %% by %s, %s: %s", r.Wanted, printable(r.Actor), r.At.Format("2006-01-02 15:04:05 MST"), printable(r.Reason))
	}
	if r.Unstored {
		b.WriteString(" (NOT YET ON ALL GATEWAYS)")
	}
	return cmp.Or(b.String(), r.Unknown)
}
