package main

import (
	"context"
	"errors"
	"io"
	"os"

	"sluice/cmd/internal/build"
	"sluice/cmd/internal/worker"
)

func runWorker(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	command := newConfigured("worker", stderr)
	config, done, err := command.load(args, stdout)
	if done {
		return err
	}
	log, err := command.logger(config.Log.Level, stderr)
	if err != nil {
		return err
	}
	outlive(log)
	w, err := worker.Open(ctx, config, worker.Options{Version: build.Version(), Log: log, Lookup: os.LookupEnv, LogDropped: droppedBy(stderr)})
	if err != nil {
		return err
	}
	return errors.Join(w.Run(ctx), w.Close())
}
