package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/router/operator"
)

// planAct returns the command of one of operator.PlanActs, which takes the named
// arguments.
func planAct(action string, named ...string) subcommand {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		a := newReasoned("rollout "+action, stderr)
		if action == operator.PlanForce {
			a.explain("usage: sluice rollout force STEP -reason WHY\n\n" +
				"Enters a step above what the plan has earned, without its proofs. That goes on the\n" +
				"record, with who did it, and on a certificate that says so: it needs a reason. The flag\n" +
				"and the brake still rule; while a rollback has latched the brake it is refused.\n\n")
		}
		found, err := a.parse(args, named...)
		if err != nil {
			return err
		}
		change := operator.PlanChange{}
		if len(found) > 0 {
			change.Step = &found[0]
		}
		if change.Reason, err = a.why(); err != nil {
			return err
		}
		return a.do(ctx, "/api/plan/"+action, change, planDone(action), stdout)
	}
}

// planDone says what an act has done.
func planDone(action string) string {
	switch action {
	case operator.PlanHold:
		return "the plan is held; sluice rollout resume lets it go on"
	case operator.PlanResume:
		return "the plan goes on"
	case operator.PlanRearm:
		return "the plan may rise again"
	case operator.PlanApprove:
		return "the step is approved"
	}
	return "the step is forced"
}

// rolloutConfirm tells that a document was harmed.
func rolloutConfirm(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	a := newReasoned("rollout confirm", stderr)
	kinds := operator.HarmKinds()
	a.explain("usage: sluice rollout confirm " + strings.Join(kinds, "|") + " DOC_ID -reason WHY\n\n" +
		"Puts on record that a document was harmed. One is enough: unless the guardrail\n" +
		"conservation is configured otherwise, everything new goes to legacy. A document that no\n" +
		"record knows is refused unless you -force it: look at its name first.\n\n")
	force := a.flags.Bool("force", false, "take it though no record knows the document")
	found, err := a.parse(args, strings.Join(kinds, "|"), "DOC_ID")
	if err != nil {
		return err
	}
	if !slices.Contains(kinds, found[0]) {
		return a.wrong("%q is not one of %s", found[0], strings.Join(kinds, ", "))
	}
	reason, err := a.why()
	if err != nil {
		return err
	}
	return a.do(ctx, "/api/conservation", operator.HarmReport{DocID: found[1], Kind: found[0], Reason: reason, Force: *force}, "the harm is counted", stdout)
}

// reasoned is a command that needs a reason.
type reasoned struct {
	*operated
	reason string
}

func newReasoned(name string, stderr io.Writer) *reasoned {
	a := &reasoned{operated: newOperated(name, stderr)}
	a.flags.StringVar(&a.reason, "reason", "", "why, in your words; it is put on record")
	return a
}

// explain puts a text before the list of flags.
func (a *reasoned) explain(text string) {
	a.flags.Usage = func() {
		fmt.Fprint(a.flags.Output(), text)
		a.flags.PrintDefaults()
	}
}

// why returns the reason.
func (a *reasoned) why() (string, error) {
	if strings.TrimSpace(a.reason) == "" {
		return "", a.wrong("-reason: say why; it is put on record")
	}
	return a.reason, nil
}

// do does it, and says so.
func (a *reasoned) do(ctx context.Context, path string, change any, done string, stdout io.Writer) error {
	var steered operator.Steered
	if err := a.post(ctx, path, change, &steered); err != nil {
		return err
	}
	if a.json {
		return writeLine(stdout, steered)
	}
	_, err := fmt.Fprintf(stdout, "%s; entry %d of the audit\n", done, steered.Audit)
	return err
}
