package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"sluice/cmd/internal/connect"
	"sluice/cmd/internal/demo"
	"sluice/cmd/internal/demolegacy"
	"sluice/cmd/internal/logging"
	"sluice/cmd/internal/worker"
	"sluice/configs"
	"sluice/temporalpath/ingestion/stores"
)

const demoUsage = "usage: sluice demo up|legacy [flags]\n\nsluice demo up -h lists the flags of the whole, sluice demo legacy -h those of the legacy service alone."

func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "up":
			return demoUp(ctx, args[1:], stdout, stderr)
		case "legacy":
			return demoLegacy(ctx, args[1:], stderr)
		case "-h", "-help", "--help":
			fmt.Fprintln(stdout, demoUsage)
			return flag.ErrHelp
		}
	}
	fmt.Fprintln(stderr, demoUsage)
	return errUsage
}

// demoUp runs everything on this machine.
func demoUp(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o demo.Options
	var set settings
	flags := flag.NewFlagSet("sluice demo up", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.ConfigFile, "config", "configs/gateway.yaml", "configuration `file`")
	flags.Var(&set, "set", "override one `key.path=value` of the configuration; may be repeated")
	flags.StringVar(&o.Data, "data", "data", "`directory` that everything is written to")
	flags.StringVar(&o.UI, "ui", "127.0.0.1:8233", "`address` of Temporal's web UI")
	flags.StringVar(&o.LegacyToken, "legacy-token", "", "bearer `token` that the legacy service asks for; empty lets everyone in")
	flags.StringVar(&o.Devstack, "devstack", "", "the devstack `program`, a Temporal server (default: beside this one)")
	flags.StringVar(&o.Build, "build", "", "`directory` of the devstack's module: build the program from it while all else serves already")
	flags.StringVar(&o.Temporal, "temporal", "", "`address` of a Temporal server that runs already, host:port, instead of the devstack")
	if err := parse(flags, args); err != nil {
		return err
	}
	endurePipes()
	if !signal.Ignored(syscall.SIGHUP) { // its terminal is gone: as Ctrl-C
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop()
	}
	output := logging.NewBuffer(stdout) // or who does not read it would hold up all programs
	output.OnLost(func(lines uint64) { fmt.Fprintf(output, "demo     | %d lines were dropped: nobody read them\n", lines) })
	defer output.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o.Sluice, o.Settings, o.Output = self, set, output
	if o.Devstack == "" {
		o.Devstack = filepath.Join(filepath.Dir(self), "devstack")
	}
	d, err := demo.New(o)
	var wrong *configs.Problems
	if errors.As(err, &wrong) {
		return explained(err)
	}
	if err != nil {
		return err
	}
	return d.Run(ctx)
}

// demoLegacy runs the demonstration legacy service alone.
func demoLegacy(ctx context.Context, args []string, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("sluice demo legacy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:9000", "`address` to listen on")
	dsn := flags.String("stores", "sqlite:data/stores/documents.db", "`DSN` of the stores that documents are written to")
	token := flags.String("token", "", "bearer `token` that clients must send; empty lets everyone in")
	latency := flags.Duration("latency", 0, "what a document takes besides the writing, unless /faults names another time")
	if err := parse(flags, args); err != nil {
		return err
	}
	log, err := (&configured{console: true}).logger("info", stderr)
	if err != nil {
		return err
	}
	outlive(log)
	listener, err := connect.Listen(*listen, "-listen host:port")
	if err != nil {
		return err
	}
	handles, err := worker.OpenStores(ctx, stores.Everywhere(*dsn))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, handles.Close()) }()
	service, err := demolegacy.New(demolegacy.Config{Stores: handles, Token: *token, Latency: *latency, Log: log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log.Info("serving", zap.String("address", listener.Addr().String()))
	return service.Serve(ctx, listener)
}
