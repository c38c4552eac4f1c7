package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/rollout/compare/certificate"
	"sluice/rollout/compare/noise"
	"sluice/rollout/evidence"
)

const shadowUsage = `usage: sluice shadow COMMAND [flags]

  status    the certificate of phase one: what is proved, what is missing
  samples   the newest comparisons that differ, with both answers

sluice shadow COMMAND -h lists a command's flags.

The flag temporal-shadow-percentage says how many of the documents that legacy
serves are run once more on Temporal, where they leave nothing, and compared.
`

// runShadow shows what mirroring has found, through a gateway's operator API.
func runShadow(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "status":
			return shadowStatus(ctx, args[1:], stdout, stderr)
		case "samples":
			return shadowSamples(ctx, args[1:], stdout, stderr)
		case "help", "-h", "-help", "--help":
			fmt.Fprint(stdout, shadowUsage)
			return flag.ErrHelp
		}
	}
	fmt.Fprint(stderr, shadowUsage)
	return errUsage
}

// read asks for a view. Its durations are numbers, as encoding/json writes them.
func (o *operated) read(ctx context.Context, path string, query url.Values, answer any) (jsontext.Value, error) {
	var text jsontext.Value
	if err := o.get(ctx, path, query, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, fmt.Errorf("the answer of %s: %w\n%s", o.operator, err, hintElsewhere)
	}
	return text, nil
}

func shadowStatus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("shadow status", stderr)
	if _, err := o.parse(args); err != nil {
		return err
	}
	var view struct {
		evidence.Report
		Ready  map[string]string `json:"ready"`
		Wanted float64           `json:"wanted_percent"`
	}
	text, err := o.read(ctx, "/api/shadow", nil, &view)
	if err != nil {
		return err
	}
	if o.json {
		_, err := fmt.Fprintf(stdout, "%s\n", text)
		return err
	}
	fmt.Fprintf(stdout, "%v %% of what legacy serves is to be mirrored\n", view.Wanted)
	if view.Wanted == 0 {
		fmt.Fprintln(stdout, "  the flags temporal-shadow-percentage and temporal-rollout-kill say so")
	}
	for _, route := range slices.Sorted(maps.Keys(view.Ready)) {
		fmt.Fprintf(stdout, "  %s: %s\n", printable(route), view.Ready[route])
	}
	printReport(stdout, &view.Report)
	if len(view.Causes) > 0 {
		fmt.Fprintln(stdout, "sluice shadow samples prints both answers of the newest of them")
	}
	return nil
}

// printReport prints what was proved and where the paths differ.
func printReport(w io.Writer, r *evidence.Report) {
	printCertificate(w, "certificate", r.Certificate)
	for _, name := range slices.Sorted(maps.Keys(r.Routes)) {
		route := r.Routes[name]
		if len(r.Routes) > 1 {
			printCertificate(w, "route "+printable(name), route.Certificate)
		}
		printFields(w, name, route)
	}
	printCauses(w, r)
	printStarts(w, r)
}

func printCertificate(w io.Writer, title string, c certificate.Certificate) {
	fmt.Fprintf(w, "\n%s: %s\n", title, c.State)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range c.Lines {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", line.Proof, line.Name, line.Words)
	}
	_ = table.Flush() // as for all that is printed
}

// printFields prints the fields that have differed.
func printFields(w io.Writer, name string, route evidence.RouteReport) {
	if len(route.Fields) > 0 {
		fmt.Fprintf(w, "\nfields of %s that have differed\n", printable(name))
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "  VERDICT\tFIELD\tLEGACY/TEMPORAL\tTEMPORAL/TEMPORAL\tEXCESS (95 %)")
		for _, f := range route.Fields {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", f.Verdict, printable(f.Field), rateOf(f.AB), rateOf(f.AA), excessOf(f))
		}
		_ = table.Flush()
	}
	for _, rule := range route.IdleRules {
		fmt.Fprintf(w, "rule %s has matched nothing on %s yet\n", rule, printable(name))
	}
}

func rateOf(r noise.Rate) string { return fmt.Sprintf("%d of %d", r.Differed, r.Pairs) }

func excessOf(f noise.Field) string {
	return fmt.Sprintf("%.2f %% (%.2f to %.2f)", 100*f.Excess, 100*f.Low, 100*f.High)
}

func printCauses(w io.Writer, r *evidence.Report) {
	if len(r.Causes) == 0 {
		return
	}
	fmt.Fprintf(w, "\nmismatches: %s\n", r.Summary)
	for _, c := range r.Causes {
		noun := "comparisons"
		if c.Comparisons == 1 {
			noun = "comparison"
		}
		fmt.Fprintf(w, "  %d %s on %s:", c.Comparisons, noun, printable(c.Route))
		for _, field := range c.Fields {
			fmt.Fprint(w, " ", printable(field))
		}
		fmt.Fprintln(w)
	}
}

// printStarts prints what was not compared, and the runs that did not complete.
func printStarts(w io.Writer, r *evidence.Report) {
	printDropped(w, r.Certificate.Evidence.Starts.Dropped)
	const most = 20
	listed := r.Listed
	if len(listed) > most {
		fmt.Fprintf(w, "the newest %d of the runs that did not complete (-json lists more)\n", most)
		listed = listed[len(listed)-most:]
	}
	for _, l := range listed {
		fmt.Fprintf(w, "%s: %s, %s\n", l.Why, printable(l.ID), l.At.Format("2006-01-02 15:04:05 MST"))
	}
}

func shadowSamples(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o := newOperated("shadow samples", stderr)
	limit := o.flags.Int("limit", 20, "print so `many` at most")
	if _, err := o.parse(args); err != nil {
		return err
	}
	if *limit < 1 {
		return o.wrong("-limit: %d is not above 0", *limit)
	}
	var page struct {
		Samples []json.RawMessage `json:"samples"`
	}
	if _, err := o.read(ctx, "/api/shadow/samples", url.Values{"limit": {strconv.Itoa(*limit)}}, &page); err != nil {
		return err
	}
	if len(page.Samples) == 0 {
		fmt.Fprintln(stderr, "no comparison that differs is kept")
	}
	for _, text := range page.Samples {
		if err := printSample(stdout, text, o.json); err != nil {
			return err
		}
	}
	return nil
}

func printSample(w io.Writer, text json.RawMessage, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintf(w, "%s\n", text)
		return err
	}
	var s evidence.Sample
	err := json.Unmarshal(text, &s)
	if err == nil {
		showSample(w, &s)
	}
	return err
}
