package main

import (
	"context"
	"errors"
	"io"
	"os"

	"sluice/cmd/internal/build"
	"sluice/cmd/internal/gateway"
)

func runGateway(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newConfigured("gateway", stderr)
	takeOver := command.flags.Bool("take-over", false, "take the place of the gateway that runs on the data directory even if it listens on other addresses, which are then given up")
	config, done, err := command.load(args, stdout)
	if done {
		return err
	}
	log, err := command.logger(config.Log.Level, stderr)
	if err != nil {
		return err
	}
	outlive(log)
	g, err := gateway.Open(ctx, config, gateway.Options{Version: build.Version(), Log: log, Lookup: os.LookupEnv, TakeOver: *takeOver, LogDropped: droppedBy(stderr)})
	if err != nil {
		return err
	}
	return errors.Join(g.Run(ctx), g.Close())
}
