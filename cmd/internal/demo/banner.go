package demo

import (
	"fmt"
	"strings"
	"time"
)

// banner says what runs where, and what to try.
func (d *Demo) banner(took time.Duration) string {
	c := d.config
	what := "Sluice runs on this machine"
	if d.comesLater() {
		what = "Sluice serves legacy on this machine, without Temporal so far"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s, ready after %.1f s. Ctrl-C stops all of it.\n\n", what, took.Seconds())
	for _, row := range []struct{ where, what string }{
		{"http://" + c.Listen.Public, "the gateway's door: POST /v1/documents"},
		{"http://" + c.Listen.Operator, "the gateway's operator listener: /metrics, /livez, /readyz"},
		{"http://" + d.legacy, "the legacy service, /faults makes it go bad"},
		{"http://" + c.Worker.Listen, "the worker: /metrics, /faults"},
		{c.Temporal.Address, "Temporal" + d.whence()},
		{"http://" + d.options.UI, "Temporal's web UI"},
	} {
		if d.options.Temporal == "" || row.where != "http://"+d.options.UI {
			fmt.Fprintf(&b, "  %-24s %s\n", row.where, row.what)
		}
	}
	fmt.Fprintf(&b, "\nData is in %s: remove it to begin anew. Flags are read from %s.\n", d.options.Data, c.Rollout.Flags.File)
	fmt.Fprintf(&b, `
Try:

  curl -i http://%s/v1/documents -d '{"doc_id":"doc-123","text":"version '$RANDOM'"}'

  sed -i 's/"defaultVariant": "p10"/"defaultVariant": "p50"/' %s

The answer's Rollout-Path says who served it. Repeat the first after the second.

`, c.Listen.Public, c.Rollout.Flags.File)
	return b.String()
}

// whence says where a Temporal comes from that is not there from the start.
func (d *Demo) whence() string {
	switch {
	case d.options.Temporal != "":
		return ", which runs already: namespace " + d.config.Temporal.Namespace
	case d.options.Build != "":
		return ", as soon as its server is built: minutes the first time, and it joins by itself"
	}
	return ""
}

// joined says that Temporal is there, after it was waited for so long.
func (d *Demo) joined(took time.Duration) string {
	ui := ""
	if d.options.Temporal == "" {
		ui = ", its web UI is http://" + d.options.UI
	}
	return fmt.Sprintf("\nTemporal has joined at %s after %s%s. Documents below the percentage go there from now on.\n\n",
		d.config.Temporal.Address, took.Round(time.Second), ui)
}
