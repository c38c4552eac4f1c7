// Package demo runs everything on one machine: a Temporal server with its web
// UI, the worker, the demonstration legacy service and the gateway, each a
// process of its own below this one.
//
// Invariants:
//   - A taken port is found, and named with the key that moves it, before
//     anything is started.
//   - Ctrl-C stops the gateway first, then what it leans on; nothing is left
//     running, not even when this process is killed (Linux).
//   - Everything that is written is below one directory.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/configs"
)

// Options say what to run and where.
type Options struct {
	// Sluice and Devstack are the two programs' paths.
	Sluice, Devstack string
	// ConfigFile is the configuration; Settings are put over it, key.path=value.
	ConfigFile string
	Settings   []string
	// Data is the directory that everything is written to.
	Data string
	// UI is where Temporal's web UI listens, host:port.
	UI string
	// LegacyToken is the bearer token that legacy asks for; empty for none.
	LegacyToken string
	// Output gets what runs where, and then the programs' logs.
	Output io.Writer
}

// Demo is the whole stack.
type Demo struct {
	options  Options
	settings []string
	config   configs.Config
	legacy   string // host:port
	console  *console
	running  []*process // in the order they were started
}

// New reads the configuration and checks that the programs are there and all
// ports are free.
func New(options Options) (*Demo, error) {
	d := &Demo{options: options, console: &console{out: options.Output}}
	// What the user set comes last and wins.
	d.settings = append(dataSettings(options.Data), options.Settings...)
	var err error
	if d.config, err = configs.Load(options.ConfigFile, d.settings...); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	legacy, err := url.Parse(d.config.Legacy.URL)
	if err != nil {
		return nil, fmt.Errorf("legacy.url: %w", err)
	}
	d.legacy = legacy.Host
	for _, program := range []string{options.Sluice, options.Devstack} {
		if _, err := os.Stat(program); err != nil {
			return nil, fmt.Errorf("a program is missing, run `make build`: %w", err)
		}
	}
	return d, d.checkPorts()
}

// legacyLatency is what the legacy service takes for a document. It stands for the
// models that a real one calls: without, it is so fast that any workflow is more than
// five times as slow, and is rolled back for that.
const legacyLatency = 60 * time.Millisecond

// dataSettings put everything that gateway and worker write below one directory.
func dataSettings(data string) []string {
	settings := []string{
		"data=" + filepath.Join(data, "gateway"),
		"temporal.claim_check.directory=" + filepath.Join(data, "payloads"),
		"worker.faults=true",
		"drain.lame_duck=200ms", // nobody else takes the traffic
	}
	for _, kind := range []string{"document", "vector", "graph", "cache"} {
		settings = append(settings,
			"worker.stores."+kind+"="+storesDSN(data),
			"worker.shadow_stores."+kind+"=sqlite:"+filepath.Join(data, "stores", "shadow.db"))
	}
	return settings
}

func storesDSN(data string) string { return "sqlite:" + filepath.Join(data, "stores", "documents.db") }

// checkPorts finds all ports that are taken, or wanted twice: each is held until
// all have been tried.
func (d *Demo) checkPorts() error {
	var problems []error
	for _, port := range []struct{ address, what, move string }{
		{d.config.Listen.Public, "the gateway's public door", "-set listen.public=127.0.0.1:PORT"},
		{d.config.Listen.Operator, "the gateway's operator listener", "-set listen.operator=127.0.0.1:PORT"},
		{d.legacy, "the legacy service", "-set legacy.url=http://127.0.0.1:PORT"},
		{d.config.Worker.Listen, "the worker's metrics", "-set worker.listen=127.0.0.1:PORT"},
		{d.config.Temporal.Address, "Temporal", "-set temporal.address=127.0.0.1:PORT"},
		{d.options.UI, "Temporal's web UI", "-ui 127.0.0.1:PORT"},
	} {
		listener, err := hold(port.address)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s cannot listen on %s: %w\n  hint: stop what listens there, or move it: make run FLAGS=%q",
				port.what, port.address, err, port.move))
			continue
		}
		defer listener.Close()
	}
	return errors.Join(problems...)
}

// hold listens on the address. Port 0 is an error: a port that the program below
// chooses is unknown to the others.
func hold(address string) (net.Listener, error) {
	if _, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		return nil, errors.New("it must be known to the others, so port 0 will not do")
	}
	return net.Listen("tcp", address)
}

// stopLimit bounds the clean stop of one program, a little more than it allows
// itself.
const stopLimit = 45 * time.Second

// Run runs the stack until ctx ends. A program that dies before all of them are
// ready ends it; one that dies later is started again.
func (d *Demo) Run(ctx context.Context) error {
	if err := os.MkdirAll(d.options.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	defer d.stop()
	began := time.Now()
	starting, died := context.WithCancelCause(ctx)
	defer died(nil)
	for _, p := range d.processes() {
		p.onDeath = func(err error) {
			d.console.line("demo", fmt.Appendf(nil, "%v", err))
			died(err)
		}
		if err := p.start(); err != nil {
			return err
		}
		d.running = append(d.running, p)
	}
	err := d.untilReady(starting)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	d.console.print(d.banner(time.Since(began)))
	<-ctx.Done()
	return nil
}

func (d *Demo) stop() {
	d.console.print("Stopping.\n")
	for _, p := range slices.Backward(d.running) {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		p.stop(ctx)
		cancel()
	}
}

// processes lists the programs in the order they are started; they are stopped
// the other way round.
func (d *Demo) processes() []*process {
	o := d.options
	configured := []string{"-config", o.ConfigFile, "-console"}
	for _, setting := range d.settings {
		configured = append(configured, "-set", setting)
	}
	sluice := func(name string, args ...string) *process { return newProcess(name, o.Sluice, d.console, args...) }
	return []*process{
		newProcess("temporal", o.Devstack, d.console,
			"-frontend", d.config.Temporal.Address, "-ui", o.UI, "-db", filepath.Join(o.Data, "temporal.db"),
			"-namespace", d.config.Temporal.Namespace, "-exit-on-stdin-close"),
		sluice("legacy", "demo", "legacy", "-listen", d.legacy, "-stores", storesDSN(o.Data), "-token", o.LegacyToken, "-latency", legacyLatency.String()),
		sluice("worker", append([]string{"worker"}, configured...)...),
		sluice("gateway", append([]string{"gateway"}, configured...)...),
	}
}
