package workflows

import (
	"context"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"sluice/cmd/internal/chaos/ledger"
)

// Worker runs the workflows.
type Worker struct {
	client client.Client
	worker worker.Worker
	work   *ingestion
}

const namespace = "default"

// New returns a worker that polls the Temporal server, which must be there. It
// goes on polling when the server dies and comes back.
func New(address string, l *ledger.Ledger, seed uint64) (*Worker, error) {
	c, err := client.Dial(client.Options{
		HostPort: address, Namespace: namespace, Logger: silent{},
		ConnectionOptions: client.ConnectionOptions{
			KeepAliveTime: 10 * time.Second, KeepAliveTimeout: 3 * time.Second,
			DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: 500 * time.Millisecond},
				MinConnectTimeout: 2 * time.Second,
			})},
		},
	})
	if err != nil {
		return nil, err
	}
	w := &Worker{client: c, work: &ingestion{ledger: l, seed: seed}}
	w.worker = worker.New(c, Queue, worker.Options{WorkerStopTimeout: 3 * time.Second, MaxConcurrentLocalActivityExecutionSize: 200})
	w.worker.RegisterWorkflowWithOptions(w.work.byUpdate, workflow.RegisterOptions{Name: TypeUpdate})
	w.worker.RegisterWorkflowWithOptions(w.work.byClose, workflow.RegisterOptions{Name: TypeClose})
	w.worker.RegisterActivity(w.work.Ingest)
	w.worker.RegisterActivity(w.work.Undo)
	return w, w.worker.Start()
}

// Calm makes the activities quick.
func (w *Worker) Calm() { w.work.calm.Store(true) }

// Running counts the workflows that are open. It fails if Temporal cannot be
// asked.
func (w *Worker) Running(ctx context.Context) (int64, error) {
	counted, err := w.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Query: "ExecutionStatus = 'Running' AND WorkflowType IN ('" + TypeUpdate + "', '" + TypeClose + "')",
	})
	if err != nil {
		return 0, err
	}
	return counted.Count, nil
}

// Close ends it.
func (w *Worker) Close() {
	w.worker.Stop()
	w.client.Close()
}

// silent is a logger: a worker whose server is killed again and again has much
// to say.
type silent struct{}

var _ sdklog.Logger = silent{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
