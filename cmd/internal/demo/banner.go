package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// print writes text as it is.
func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.WriteString(c.out, text) // as in line
}

// banner says what runs where, and what to try.
func (d *Demo) banner(took time.Duration) string {
	c := d.config
	var b strings.Builder
	fmt.Fprintf(&b, "\nSluice runs on this machine, ready after %.1f s. Ctrl-C stops all of it.\n\n", took.Seconds())
	for _, row := range []struct{ where, what string }{
		{"http://" + c.Listen.Public, "the gateway's door: POST /v1/documents"},
		{"http://" + c.Listen.Operator, "the gateway's operator listener: /metrics, /livez, /readyz"},
		{"http://" + d.legacy, "the legacy service, /faults makes it go bad"},
		{"http://" + c.Worker.Listen, "the worker: /metrics, /faults"},
		{c.Temporal.Address, "Temporal"},
		{"http://" + d.options.UI, "Temporal's web UI"},
	} {
		fmt.Fprintf(&b, "  %-24s %s\n", row.where, row.what)
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
