package main

import (
	"context"
	"errors"
	"io"
	"os"

	"go.uber.org/zap"

	"sluice/cmd/internal/build"
	"sluice/cmd/internal/worker"
	"sluice/configs"
)

func runWorker(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newConfigured("worker", stderr)
	options := worker.Options{Version: build.Version(), Log: zap.NewNop(), Lookup: os.LookupEnv, LogDropped: droppedBy(stderr)}
	command.try = func(config configs.Config) error { return worker.Check(config, options) }
	config, done, err := command.load(args, stdout)
	if done {
		return err
	}
	log, err := command.logger(config.Log.Level, stderr)
	if err != nil {
		return err
	}
	outlive(log)
	options.Log = log
	w, err := worker.Open(ctx, config, options)
	if err != nil {
		return command.explain(err)
	}
	return errors.Join(w.Run(ctx), w.Close())
}
