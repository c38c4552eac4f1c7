package main

import (
	"context"
	"errors"
	"io"
	"os"

	"go.uber.org/zap"

	"sluice/cmd/internal/build"
	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

func runGateway(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newConfigured("gateway", stderr)
	takeOver := command.flags.Bool("take-over", false, "take the place of the gateway that runs on the data directory even if it listens on other addresses, which are then given up")
	options := gateway.Options{Version: build.Version(), Log: zap.NewNop(), Lookup: os.LookupEnv, LogDropped: droppedBy(stderr)}
	command.try = func(config configs.Config) error {
		return errors.Join(gateway.Check(ctx, config, options), gateway.CheckFlags(ctx, config, options))
	}
	config, done, err := command.load(args, stdout)
	if done {
		return err
	}
	log, err := command.logger(config.Log.Level, stderr)
	if err != nil {
		return err
	}
	outlive(log)
	options.Log, options.TakeOver = log, *takeOver
	g, err := gateway.Open(ctx, config, options)
	if err != nil {
		return command.explain(err)
	}
	return errors.Join(g.Run(ctx), g.Close())
}
