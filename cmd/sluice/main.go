// Sluice moves a document-ingestion service from its legacy implementation to
// Temporal workflows, document by document. This one binary is the gateway, the
// ingestion worker and the demonstration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc/grpclog"

	"sluice/cmd/internal/build"
	"sluice/cmd/internal/logging"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	// Nobody waits for who reads standard error, not even the end of the process.
	stderr := logging.NewBuffer(os.Stderr)
	log.SetOutput(stderr)
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, stderr))
	code := run(ctx, os.Args[1:], os.Stdout, stderr)
	_ = stderr.Close() // there is nowhere left to tell
	os.Exit(code)
}

// command is one subcommand. run returns errUsage if it was called wrongly, and
// flag.ErrHelp if it was asked for help.
type command struct {
	name, brief string
	run         func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

func commands() []command {
	return []command{
		{"gateway", "serve clients: route each document to legacy or to Temporal", runGateway},
		{"worker", "run the ingestion workflows", runWorker},
		{"demo", "run everything on this machine (demo up), or the legacy service alone (demo legacy)", runDemo},
		{"claims", "list and settle the claims of documents in flight", runClaims},
		{"shadow", "show what mirroring documents has proved, and where the paths differ", runShadow},
		{"validate", "compare the two paths on a file of requests, without a gateway", runValidate},
		{"rollback", "send everything new to legacy, on all gateways, at once", runRollback},
		{"rollout", "show and lower what may go to Temporal; release the brake; steer the plan", runRollout},
		{"version", "print the build's version", func(_ context.Context, _ []string, stdout, _ io.Writer) error {
			_, err := fmt.Fprintln(stdout, build.Version())
			return err
		}},
	}
}

var errUsage = errors.New("wrong usage")

// errUnproved says that what was to be proved is not, which has been printed.
var errUnproved = errors.New("not proved")

// run returns the exit code: 0, 1 for a failure, 2 for wrong usage, 3 for what is not
// proved.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		usage(stderr)
		return 2
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		switch err := c.run(ctx, args[1:], stdout, stderr); {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			fmt.Fprintf(stderr, "hint: sluice %s -h lists what it takes\n", c.name)
			return 2
		case errors.Is(err, errUnproved):
			return 3
		default:
			fmt.Fprintf(stderr, "sluice %s: %v\n", c.name, err)
			return 1
		}
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return 0
	}
	fmt.Fprintf(stderr, "sluice: there is no command %q\nhint: sluice help lists the commands\n", args[0])
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: sluice COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.brief)
	}
	fmt.Fprint(w, "\nsluice COMMAND -h lists a command's flags.\n")
}
