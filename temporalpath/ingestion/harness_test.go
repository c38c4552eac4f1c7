package ingestion_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/temporaltest"
	"sluice/temporalpath/wire"
)

// TestMain runs the tests, or the worker that a test has started to kill it.
func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		beChild(task)
	}
	os.Exit(m.Run())
}

// quick is a policy that gives up within a test's patience.
var quick = ingestion.Policy{
	Attempts: 3, FirstWait: 10 * time.Millisecond, MaxWait: 50 * time.Millisecond,
	Timeout: 5 * time.Second, Heartbeat: 2 * time.Second, UndoGiveUp: 30 * time.Second,
}

// place is a Temporal server with a client, and stores in files.
type place struct {
	server *temporaltest.Server
	client client.Client
	dir    string
	real   stores.Handles
	shadow stores.Handles
}

// settle starts a server and opens stores.
func settle(t *testing.T) *place {
	t.Helper()
	server, dir := temporaltest.Start(t), t.TempDir()
	p := &place{
		server: server, client: dial(t, server.Frontend), dir: dir,
		real:   openStores(t, realDSN(dir)),
		shadow: openStores(t, shadowDSN(dir)),
	}
	return p
}

func realDSN(dir string) string   { return "sqlite:" + filepath.Join(dir, "real.db") }
func shadowDSN(dir string) string { return "sqlite:" + filepath.Join(dir, "shadow.db") }

func dial(t *testing.T, frontend string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: frontend, Logger: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func openStores(t *testing.T, dsn string) stores.Handles {
	t.Helper()
	handles, err := stores.OpenSet(context.Background(), stores.Everywhere(dsn))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handles.Close() })
	return handles
}

// config is the place's stores with the quick policy.
func (p *place) config() ingestion.Config {
	return ingestion.Config{Stores: p.real.Set(), Shadow: p.shadow.Set(), Policy: quick}
}

// work runs a worker with config on a task queue until the test ends.
func (p *place) work(t *testing.T, queue string, config ingestion.Config) {
	t.Helper()
	w := worker.New(p.client, queue, worker.Options{})
	if err := ingestion.Register(w, config); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

// document is the input of an ingestion.
func document(id, intent, body string) wire.Input {
	in := wire.Input{DocID: id, Intent: intent, Life: 1, Route: "documents", ContentType: "application/json"}
	in.SetBody(wire.FormJSON, []byte(body))
	return in
}

const prose = `{"doc_id":"d","text":"Ada Lovelace wrote to Charles Babbage.","links":["https://example.org/"]}`

// begin is a start of the workflow as the gateway makes it.
func (p *place) begin(queue string, in wire.Input) client.WithStartWorkflowOperation {
	id := fmt.Sprintf("sluice/%s/%s/%d", in.DocID, in.Intent, in.Life)
	return p.client.NewWithStartWorkflowOperation(client.StartWorkflowOptions{
		ID: id, TaskQueue: queue, WorkflowTaskTimeout: 2 * time.Second,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}, ingestion.WorkflowType, in)
}

// ingest starts the workflow and waits for its answer in one call.
func (p *place) ingest(t *testing.T, queue string, in wire.Input) (ingestion.Result, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	update, err := p.client.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: p.begin(queue, in),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: "answer", UpdateName: wire.ResultUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	if err != nil {
		return ingestion.Result{}, err
	}
	var answer wire.Answer
	err = update.Get(ctx, &answer)
	return resultOf(t, answer, err), err
}

// resultOf returns the result that the answer holds, unless there is none.
func resultOf(t *testing.T, answer wire.Answer, err error) (result ingestion.Result) {
	t.Helper()
	if err != nil {
		return result
	}
	if answer.Status != http.StatusOK {
		t.Errorf("the answer has the status %d", answer.Status)
	}
	if err := json.Unmarshal(answer.Body, &result); err != nil {
		t.Error(err)
	}
	return result
}

// closed waits for the end of the run and returns how it ended by itself.
func (p *place) closed(t *testing.T, in wire.Input) (ingestion.Result, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var answer wire.Answer
	err := p.client.GetWorkflow(ctx, fmt.Sprintf("sluice/%s/%s/%d", in.DocID, in.Intent, in.Life), "").Get(ctx, &answer)
	return resultOf(t, answer, err), err
}

// failureOf returns the typed failure in err, or fails the test.
func failureOf(t *testing.T, err error) *ingestion.Failure {
	t.Helper()
	var application *temporal.ApplicationError
	if !errors.As(err, &application) {
		t.Fatalf("%v is no ApplicationError", err)
	}
	failure := &ingestion.Failure{}
	if err := application.Details(failure); err != nil {
		t.Fatalf("details of %v: %v", application, err)
	}
	if failure.Type != application.Type() {
		t.Errorf("the detail's type is %q, the error's %q", failure.Type, application.Type())
	}
	return failure
}

// counts returns how many documents each store has, in the order of the kinds.
func counts(t *testing.T, handles stores.Handles) (all [4]int) {
	t.Helper()
	for i, kind := range stores.Kinds() {
		n, err := handles[kind].Count(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all[i] = n
	}
	return all
}

// silent drops the SDK's log: many tests fail on purpose.
type silent struct{}

func (silent) Debug(string, ...any)     {}
func (silent) Info(string, ...any)      {}
func (silent) Warn(string, ...any)      {}
func (silent) Error(string, ...any)     {}
func (s silent) With(...any) log.Logger { return s }
