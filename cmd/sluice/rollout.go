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
	"sluice/router/unclaimed"
)

const rolloutUsage = `usage: sluice rollout COMMAND [flags]

the brake
  status      what may go to Temporal now, and who set the brake, when and why
  ceiling N   lower the brake to N percent
  release     lift the brake

the plan
  plan          its steps, what it waits for, and what each guardrail could notice
  hold          stop it where it is
  resume        let it go on
  rearm         let it rise again after a human lowered the exposure
  approve STEP  approve leaving the step, when its approval is due
  force STEP    enter a step above what the plan has earned, on the record
  certificates  on what proof each step was passed
  ticks         the newest decisions, and why

harm
  trip [N]           the report of the newest automatic rollback, or the Nth newest
  confirm KIND ID    a document was lost, doubled or corrupted: rolls back

sluice rollout COMMAND -h lists a command's flags. What changes something needs a
-reason, which is put on record.

What goes to Temporal is the lowest of three ceilings: the flag's, the plan's and
the brake's. The brake stays as it is set, on all gateways and across restarts, until
it is released. Documents in flight stay where they are. sluice rollback is the
brake at 0.
`

// subcommand is one of rollout's.
type subcommand func(ctx context.Context, args []string, stdout, stderr io.Writer) error

func rolloutCommands() map[string]subcommand {
	return map[string]subcommand{
		"status": rolloutStatus, "ceiling": rolloutCeiling, "release": rolloutRelease,
		"plan": rolloutPlan, "certificates": rolloutCertificates, "ticks": rolloutTicks, "trip": rolloutTrip,
		"hold": planAct(operator.PlanHold), "resume": planAct(operator.PlanResume), "rearm": planAct(operator.PlanRearm),
		"approve": planAct(operator.PlanApprove, "STEP"), "force": planAct(operator.PlanForce, "STEP"),
		"confirm": rolloutConfirm,
	}
}

// runRollout shows and moves the brake and the plan through a gateway's operator API.
func runRollout(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if run, there := rolloutCommands()[args[0]]; there {
			return run(ctx, args[1:], stdout, stderr)
		}
		switch args[0] {
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
type brakeAct struct{ *reasoned }

func newBrakeAct(name string, stderr io.Writer) *brakeAct {
	return &brakeAct{newReasoned(name, stderr)}
}

func (a *brakeAct) set(ctx context.Context, percent float64, stdout io.Writer) error {
	return a.act(ctx, "/api/brake", operator.BrakeChange{Ceiling: &percent}, stdout)
}

func (a *brakeAct) act(ctx context.Context, path string, change operator.BrakeChange, stdout io.Writer) error {
	var err error
	if change.Reason, err = a.why(); err != nil {
		return err
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
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprint(stdout, unclaimedText(r.Unclaimed))
	return nil
}

// unclaimedText says what went to legacy without a claim, if anything did.
func unclaimedText(counts map[string]uint64) string {
	sum := unclaimed.Sum(counts)
	if sum == 0 {
		return "no request went to legacy without a claim on this gateway in the last hour\n"
	}
	var why []string
	for _, reason := range unclaimed.Reasons(counts) {
		why = append(why, fmt.Sprintf("%s %d", printable(reason), counts[reason]))
	}
	return fmt.Sprintf("%d requests went to legacy without a claim on this gateway in the last hour: %s\n"+
		"hint: no document can be told from these, so they never move to Temporal; see rollout.on_unroutable before you raise the exposure\n",
		sum, strings.Join(why, ", "))
}

// setBy says who set the brake, if anybody did.
func setBy(r *operator.Rollout) string {
	var b strings.Builder
	if r.Actor != "" {
		fmt.Fprintf(&b, ", set to %v %% by %s, %s: %s", r.Wanted, printable(r.Actor), r.At.Format(clock), printable(r.Reason))
	}
	if r.Unstored {
		b.WriteString(" (NOT YET ON ALL GATEWAYS)")
	}
	return cmp.Or(b.String(), r.Unknown)
}
