package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"sluice/rollout/control"
	"sluice/rollout/guard"
)

// rolloutCertificates prints on what proof each step was passed, the newest last.
func rolloutCertificates(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	certificates, o, err := listed[control.Certificate](ctx, args, stderr, "certificates")
	if err != nil {
		return err
	}
	if len(certificates) == 0 {
		fmt.Fprintln(stderr, "no step has been passed")
	}
	for _, c := range inOrder(certificates, func(c control.Certificate) time.Time { return c.At }) {
		if o.json {
			if _, err := fmt.Fprintf(stdout, "%s\n", c.text); err != nil {
				return err
			}
			continue
		}
		printPassed(stdout, &c.value)
	}
	return nil
}

func printPassed(w io.Writer, c *control.Certificate) {
	did := "passed step " + printable(c.Step)
	if c.Forced != nil {
		did = "FORCED step " + printable(c.Step)
	}
	fmt.Fprintf(w, "%s  %s, %s to %s\n", c.At.Format(clock), did, c.From, c.To)
	fmt.Fprintf(w, "  the step that was left: in force since %s, watched for %v, documents from epoch %d on\n", c.Since.Format(clock), c.Dwelt.Round(time.Second), c.Epoch)
	printAct(w, "  forced by", c.Forced, "")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range c.Proofs {
		fmt.Fprintf(table, "  proved\t%s\t%d of %d\t%s\n", p.Test, p.K, p.N, bound(&p))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Gates)) {
		fmt.Fprintf(table, "  gate\t%s\t%s\t%s\n", printable(name), gateSaid(c.Gates[name]), c.Gates[name].At.Format(clock))
	}
	_ = table.Flush()
	printAct(w, "  approved by", c.Approver, "")
}

// bound prints what was reached and what had to be.
func bound(p *guard.Proof) string {
	if p.Test == "sample_ratio" {
		return fmt.Sprintf("p %.3g, at least %.3g", p.Value, p.Limit)
	}
	return fmt.Sprintf("%.3g, at most %.3g", p.Value, p.Limit)
}

func gateSaid(a control.Answer) string {
	said := "no"
	if a.Passed {
		said = "yes"
	}
	if a.Err != "" {
		said = "nothing: " + legible(a.Err)
	}
	if a.Detail != "" {
		said += " (" + legible(a.Detail) + ")"
	}
	return said
}
