package demo

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/cmd/internal/compile"
)

// comesLater reports whether Temporal joins when everything else serves already.
func (d *Demo) comesLater() bool { return d.options.Build != "" || d.options.Temporal != "" }

// checkTemporal fails if the Temporal server that is to be used has no address.
func (o *Options) checkTemporal() error {
	if o.Temporal == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(o.Temporal); err != nil {
		return fmt.Errorf("the Temporal server %q: %w\n  hint: give host:port, such as 127.0.0.1:7233", o.Temporal, err)
	}
	return nil
}

// checkDevstack fails if there is no Temporal server, nor one to be built.
func (o *Options) checkDevstack() error {
	if o.Temporal != "" || o.Build != "" {
		return nil
	}
	if _, err := os.Stat(o.Devstack); err != nil {
		return fmt.Errorf("the Temporal server is missing: %w\n  hint: run `make run`, which builds it, or name a server with -temporal host:port", err)
	}
	return nil
}

// join brings Temporal in: it is built where that is asked for, and started where it
// is ours. That it cannot be had ends nothing: legacy is served on. It fails only if
// ctx ends first.
func (d *Demo) join(ctx context.Context) error {
	began := time.Now()
	if d.options.Build != "" {
		if err := d.build(ctx); err != nil {
			return nil
		}
	}
	if d.options.Temporal == "" {
		server := d.server()
		if err := d.start(server, func(error) {}); err != nil {
			d.say("there will be no Temporal: %v; legacy is served on", err)
			return nil
		}
		d.running = slices.Insert(d.running, 0, server) // it is stopped last
	}
	if err := d.untilJoined(ctx); err != nil {
		return err
	}
	d.console.Print(d.joined(time.Since(began)))
	return nil
}

// build builds the Temporal server and says how far that is.
func (d *Demo) build(ctx context.Context) error {
	err := compile.Build(ctx, compile.Config{
		Directory: d.options.Build, Package: ".", Output: d.options.Devstack, Aside: true,
		Progress: func(text string) {
			d.console.Status(label("build") + " | Temporal's server: " + text)
		},
	})
	d.console.Status("")
	if err == nil || ctx.Err() != nil {
		return err
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		d.console.Line(label("build"), []byte(line))
	}
	d.say("there will be no Temporal, as its server cannot be built; legacy is served on")
	d.say("hint: mend what stands above, stop this, and run it again: it goes on from what is built")
	return err
}

// patient is after what time it is said that Temporal has not been joined.
const patient = 15 * time.Second

// untilJoined waits until the worker works for Temporal, however long that takes.
func (d *Demo) untilJoined(ctx context.Context) error {
	late := time.AfterFunc(patient, func() {
		d.say("Temporal at %s, namespace %s, has not been joined yet: the worker's lines say why; it tries on, and legacy is served meanwhile",
			d.config.Temporal.Address, d.config.Temporal.Namespace)
	})
	defer late.Stop()
	for _, probe := range d.probes(true) {
		if err := untilOK(ctx, probe.url); err != nil {
			return err
		}
	}
	return nil
}
