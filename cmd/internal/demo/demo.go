// Package demo runs everything on one machine: a Temporal server with its web
// UI, the worker, the demonstration legacy service and the gateway, each a
// process of its own below this one.
//
//	starting --legacy and gateway ready--> serving --Temporal there, worker ready--> whole
//
// Invariants:
//   - Legacy is served before Temporal is there, and whether or not it ever comes:
//     its server may have to be built first, which takes minutes, or be somebody
//     else's.
//   - A taken port is found, and named with the key that moves it, before
//     anything is started.
//   - Ctrl-C stops the gateway first, then what it leans on; nothing is left
//     running, not even when this process is killed (Linux).
//   - Everything that is written is below one directory.
package demo

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/cmd/internal/console"
	"sluice/configs"
)

// Options say what to run and where.
type Options struct {
	// Sluice and Devstack are the two programs' paths.
	Sluice, Devstack string
	// Build is the directory of Devstack's module, if the program is to be built
	// first; empty if it is there.
	Build string
	// Temporal is the address of a server that runs already, host:port. Then
	// Devstack is neither built nor run. Empty for none.
	Temporal string
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
	console  *console.Console
	running  []*process // in the order they were started
}

// New reads the configuration and checks that the programs are there and all
// ports are free.
func New(options Options) (*Demo, error) {
	d := &Demo{options: options, console: console.New(options.Output)}
	if err := options.checkTemporal(); err != nil {
		return nil, err
	}
	// What the user set comes last and wins.
	d.settings = append(dataSettings(options.Data), options.Settings...)
	if options.Temporal != "" {
		d.settings = append(d.settings, "temporal.address="+options.Temporal)
	}
	var err error
	if d.config, err = configs.Load(options.ConfigFile, d.settings...); err != nil {
		return nil, err
	}
	if err := options.checkDevstack(); err != nil {
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

// stopLimit bounds the clean stop of one program, a little more than it allows
// itself.
const stopLimit = 45 * time.Second

// Run runs the stack until ctx ends. A program that dies before the first of them
// are ready ends it; one that dies later is started again.
func (d *Demo) Run(ctx context.Context) error {
	if err := os.MkdirAll(d.options.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	defer d.stop()
	began := time.Now()
	starting, died := context.WithCancelCause(ctx)
	defer died(nil)
	first := []*process{d.legacyService(), d.worker(), d.gateway()}
	if !d.comesLater() {
		first = slices.Insert(first, 0, d.server())
	}
	for _, p := range first {
		if err := d.start(p, died); err != nil {
			return err
		}
		d.running = append(d.running, p)
	}
	err := d.untilReady(starting, d.probes(!d.comesLater()))
	if err == nil {
		d.console.Print(d.banner(time.Since(began)))
		if d.comesLater() {
			err = d.join(ctx)
		}
	}
	if err == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// start starts p; whenever it dies that is said, and died is told.
func (d *Demo) start(p *process, died func(error)) error {
	p.onDeath = func(err error) {
		d.say("%v", err)
		died(err)
	}
	return p.start()
}

// say writes a line of the demonstration's own.
func (d *Demo) say(format string, args ...any) {
	d.console.Line(label("demo"), fmt.Appendf(nil, format, args...))
}

func (d *Demo) stop() {
	d.console.Status("")
	d.console.Print("Stopping. Another Ctrl-C ends it at once.\n")
	for _, p := range slices.Backward(d.running) {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		p.stop(ctx)
		cancel()
	}
}
