// Chaos runs the gateway under everything that can go wrong, and checks that no
// document was lost or doubled. See package chaos.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sluice/cmd/internal/chaos"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errBroken):
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
}

// errBroken says that the run showed what it must not show, or did not show what
// it must.
var errBroken = errors.New("a promise was broken")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	config := chaos.Config{Output: stderr}
	var minutes float64
	var compare, keep bool
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&config.Seed, "seed", 1, "gives the wishes, the schedule and the luck; not the timing")
	flags.IntVar(&config.Intents, "intents", 3000, "how many wishes clients have")
	flags.IntVar(&config.Kills, "kills", 30, "how many times a process is killed")
	flags.IntVar(&config.Gateways, "gateways", 1, "how many gateways there are")
	flags.StringVar(&config.Store, "store", chaos.StoreEmbedded, "embedded (one gateway) or postgres (several)")
	flags.StringVar(&config.Without, "without", "", "switch `claims` or fence off: the run must then find doubles")
	flags.BoolVar(&compare, "compare", false, "afterwards, run a tenth as much without claims and without fence, and print them beside")
	flags.Float64Var(&config.Most, "most", 100, "the highest `percentage` that the operator sets")
	flags.Float64Var(&minutes, "minutes", 60, "begin no wish after that many minutes")
	flags.IntVar(&config.Parallel, "parallel", 40, "how many wishes are under way at one time")
	flags.BoolVar(&config.Race, "race", false, "build the gateway with the race detector")
	flags.StringVar(&config.Dir, "dir", "", "`directory` to work in (default: a new one)")
	flags.BoolVar(&keep, "keep", false, "keep the directory, with all logs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config.Limit = time.Duration(minutes * float64(time.Minute))
	var err error
	if config.Root, config.Devstack, err = chaos.Locate(); err != nil {
		return err
	}
	return (&session{config: config, compare: compare, keep: keep, out: stdout}).run(ctx)
}
