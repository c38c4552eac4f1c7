// Package worker wires the ingestion worker together: stores, breakers, metrics
// and the workflow, as one version of a worker deployment.
//
// Components, in the order they start: metrics, stores, Temporal client, worker,
// listener. Temporal need not be there: the worker waits for it.
package worker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sluice/cmd/internal/connect"
	"sluice/configs"
	"sluice/metrics"
	"sluice/temporalpath"
	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/faults"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/versions"
)

// Options are what a worker needs besides its configuration.
type Options struct {
	// Version is the build's; it is the build ID where the configuration names
	// none.
	Version string
	Log     *zap.Logger
	// Lookup reads the environment, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// LogDropped returns how many lines of the log were lost; nil if none ever is.
	LogDropped func() uint64
}

// Worker is one worker process. Open prepares it, Run makes it work.
type Worker struct {
	config  configs.Worker
	options Options
	buildID string
	prepared

	metrics   *metrics.Worker
	faults    *faults.Switch // nil unless the configuration allows faults
	ingestion ingestion.Config
	client    client.Client
	listener  net.Listener
	polling   atomic.Bool
	closers   []func() error // run in reverse by Close
}

// Open opens the stores and the listener. Close releases what Open made.
func Open(ctx context.Context, config configs.Config, options Options) (*Worker, error) {
	w := &Worker{config: config.Worker, options: options, buildID: config.Worker.Deployment.BuildID}
	if w.buildID == "" {
		w.buildID = options.Version
	}
	if err := w.prepare(config); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, configs.Config) error{w.listen, w.dial, w.openStores} {
		if err := step(ctx, config); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

func (w *Worker) listen(context.Context, configs.Config) error {
	var err error
	if w.listener, err = connect.Listen(w.config.Listen, "-set worker.listen=host:port"); err != nil {
		return err
	}
	w.closers = append(w.closers, func() error { return connect.Closed(w.listener) })
	w.metrics = metrics.NewWorker(metrics.WorkerConfig{Stores: storeNames(), Operations: []string{stores.OpPut, stores.OpUndo}, LogDropped: w.options.LogDropped})
	return nil
}

func storeNames() []string {
	var names []string
	for _, kind := range stores.Kinds() {
		names = append(names, string(kind), ingestion.ShadowPrefix+string(kind))
	}
	return names
}

func (w *Worker) dial(context.Context, configs.Config) error {
	dialing := w.dialing
	if w.claimCheck != nil {
		dialing.ExternalStorage = w.claimCheck.Storage()
	}
	dialing.Metrics = w.metrics.TemporalSDK()
	dialing.Logger = connect.TemporalLog(w.options.Log)
	var err error
	if w.client, err = temporalpath.Dial(dialing); err != nil {
		return err
	}
	w.closers = append(w.closers, func() error { w.client.Close(); return nil })
	return nil
}

// Address returns where metrics and health are served, host:port.
func (w *Worker) Address() string { return w.listener.Addr().String() }

// Run works until ctx ends; then it finishes the activities under way.
func (w *Worker) Run(ctx context.Context) error {
	errorLog, err := zap.NewStdLogAt(w.options.Log, zap.WarnLevel)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: w.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: errorLog}
	served := make(chan error, 1)
	go func() { served <- server.Serve(w.listener) }()
	defer server.Close()
	w.options.Log.Info("serving", zap.String("metrics", w.Address()), zap.String("task_queue", w.config.TaskQueue),
		zap.String("shadow_task_queue", w.config.ShadowTaskQueue), zap.String("deployment", w.config.Deployment.Name), zap.String("build_id", w.buildID))
	polling, err := w.poll(ctx)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	defer polling.Stop()
	if w.config.Deployment.SetCurrent {
		if err := versions.MakeCurrent(ctx, w.client, w.config.Deployment.Name, w.buildID); err != nil {
			return ignoreEnd(ctx, err)
		}
		w.options.Log.Info("this version is current", zap.String("build_id", w.buildID))
	}
	w.polling.Store(true)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		return nil
	}
}

// ignoreEnd returns nil if err came of ctx's end, which is a clean stop.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Close releases everything. It is to be called once, after Run if Run was.
func (w *Worker) Close() error {
	var errs []error
	for _, closer := range slices.Backward(w.closers) {
		errs = append(errs, closer())
	}
	w.closers = nil
	return errors.Join(errs...)
}
