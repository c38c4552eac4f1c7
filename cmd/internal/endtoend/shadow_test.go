package endtoend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sluice/cmd/internal/worker"
	"sluice/configs"
	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// shadowPath is the Temporal path as the gateway builds it from the stack's
// configuration.
func (s *stack) shadowPath(t *testing.T) (*temporalpath.Path, client.Client) {
	t.Helper()
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	r := s.config.Routes[0]
	path, err := temporalpath.New(temporalpath.Config{
		Service: c.WorkflowService(), Namespace: "default", IDs: s.config.Temporal.IDs(),
		StartTimeout: 3 * time.Second, MaxWaiters: 1, MaxInput: 1 << 20,
		Routes: map[string]temporalpath.Route{r.Name: {
			WorkflowType: r.Workflow.Type, TaskQueue: r.Workflow.TaskQueue, ShadowTaskQueue: r.Workflow.ShadowTaskQueue,
			Update: true, Status: 200, Failures: r.Failures,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, c
}

func mirrored(id, body string) *rollout.Document {
	return &rollout.Document{Route: "documents", DocID: id, Body: []byte(body), ContentType: "application/json",
		Intent: rollout.KeyedIntent("documents", "", id, "key"), Life: 1}
}

// held counts the documents in each store.
func held(t *testing.T, handles stores.Handles) (counts []int) {
	t.Helper()
	for _, kind := range stores.Kinds() {
		n, err := handles[kind].Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, n)
	}
	return counts
}

// Our worker declares shadow support; the shadow run answers what the real one
// would, and leaves something in the shadow stores and nothing in the real ones.
func TestOurWorkerSupportsShadows(t *testing.T) {
	s := assemble(t, "", "worker.deployment.build_id=b7")
	path, c := s.shadowPath(t)
	if got, err := path.ShadowSupport(t.Context(), "documents"); err != nil || got.OK {
		t.Errorf("without a worker: %+v, %v", got, err)
	}
	s.work(t)
	support, err := path.ShadowSupport(t.Context(), "documents")
	if err != nil || !support.OK || support.BuildID != "b7" || len(support.ClaimCheck) > 0 {
		t.Fatalf("got %+v, %v", support, err)
	}
	shadows, err := worker.OpenStores(t.Context(), stores.Everywhere(s.dsn("shadow")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shadows.Close() })
	doc := mirrored("doc-1", `{"doc_id":"doc-1","text":"Ada wrote to Charles."}`)
	for _, arm := range []string{"a", "b"} {
		run, err := path.Shadow(t.Context(), doc, arm, 20*time.Second)
		if err != nil || run.State != rollout.RunCompleted || path.BuildOf(t.Context(), run.WorkflowID) != "b7" || !strings.Contains(string(run.Answer.Body), "ingested") {
			t.Errorf("arm %s: %+v, %v, body %s", arm, run, err, run.Answer.Body)
		}
		if _, err := path.Shadow(t.Context(), doc, arm, 20*time.Second); !errors.Is(err, rollout.ErrDuplicate) {
			t.Errorf("arm %s again: %v", arm, err)
		}
	}
	invalid, err := path.Shadow(t.Context(), mirrored("doc-2", "[]"), "a", 20*time.Second)
	if err != nil || invalid.Failure.Status != 422 {
		t.Errorf("an invalid document: %+v, %v", invalid, err)
	}
	if real, shadow := held(t, s.stores), held(t, shadows); !slices.Equal(real, []int{0, 0, 0, 0}) || !slices.Equal(shadow, []int{1, 1, 1, 1}) {
		t.Errorf("real stores hold %v documents, shadow stores %v", real, shadow)
	}
	misplacedRuns(t, c, s)
	if real, shadow := held(t, s.stores), held(t, shadows); !slices.Equal(real, []int{0, 0, 0, 0}) || !slices.Equal(shadow, []int{1, 1, 1, 1}) {
		t.Errorf("after the misplaced runs, real stores hold %v documents, shadow stores %v", real, shadow)
	}
}

// misplacedRuns starts a real run on the shadow task queue and a shadow run on the
// real one: both are refused.
func misplacedRuns(t *testing.T, c client.Client, s *stack) {
	t.Helper()
	for queue, shadow := range map[string]bool{s.config.Worker.ShadowTaskQueue: false, s.config.Worker.TaskQueue: true} {
		in := wire.Input{DocID: "misplaced", Intent: "k", Life: 1, Route: "documents", Shadow: shadow}
		in.SetBody(wire.FormJSON, []byte(`{"doc_id":"misplaced"}`))
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "misplaced-" + queue, TaskQueue: queue}, ingestion.WorkflowType, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "this worker takes") {
			t.Errorf("shadow %v on %s: %v", shadow, queue, err)
		}
	}
}

// A worker that is configured without a shadow task queue supports nothing, and
// its real work goes on.
func TestWorkerWithoutShadows(t *testing.T) {
	s := assemble(t, "", `worker.shadow_task_queue=""`)
	s.rollTo(t, 100)
	s.work(t)
	path, _ := s.shadowPath(t)
	if got, err := path.ShadowSupport(t.Context(), "documents"); err != nil || got.OK || !strings.Contains(got.Reason, "no worker polls") {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.post(t.Context(), []byte(`{"doc_id":"real"}`)); err != nil || got.status != 200 || got.path() != "temporal" {
		t.Errorf("got %v, %v", got, err)
	}
}

// A worker whose shadow stores are its real ones, however that is written, does not
// start.
func TestShadowStoresAreNotTheRealOnes(t *testing.T) {
	dir := t.TempDir()
	settings := []string{"worker.listen=127.0.0.1:0"}
	for _, kind := range stores.Kinds() {
		settings = append(settings, fmt.Sprintf("worker.stores.%s=sqlite:%s/real.db", kind, dir),
			fmt.Sprintf("worker.shadow_stores.%s=sqlite:%s/shadow.db", kind, dir))
	}
	config, err := configs.Load("../../../configs/gateway.yaml",
		append(settings, "worker.shadow_stores.graph=sqlite:"+dir+"/./real.db?retention=1h")...)
	if err != nil {
		t.Fatal(err)
	}
	w, err := worker.Open(t.Context(), config, worker.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err == nil {
		w.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "worker.shadow_stores.graph: is the store of worker.stores.graph") {
		t.Errorf("got %v", err)
	}
}

// A watch asks while shadow runs are wanted, and knows when workers leave.
func TestShadowWatch(t *testing.T) {
	s := assemble(t, "")
	path, _ := s.shadowPath(t)
	watch := path.Workers()
	if ok, reason := watch.ShadowReady("documents"); ok || watch.Asked("documents") || !strings.Contains(reason, "not been asked") {
		t.Errorf("ready before anyone was asked: %v, %s", ok, reason)
	}
	var wanted atomic.Bool
	background(t, func(ctx context.Context) error {
		watch.WatchShadows(ctx, 100*time.Millisecond, wanted.Load)
		return nil
	}, func() error { return nil })
	says := func(want string) func() bool {
		return func() bool { _, reason := watch.ShadowReady("documents"); return strings.Contains(reason, want) }
	}
	ready := func() bool { ok, _ := watch.ShadowReady("documents"); return ok }
	eventually(t, "asked at the start", says("no worker polls"))
	wanted.Store(true)
	s.work(t)
	eventually(t, "ready", ready)
	if ok, _ := watch.ShadowReady("none"); ok {
		t.Error("a route that is not there is ready")
	}
	wanted.Store(false)
	eventually(t, "not asked while not wanted", says("not been asked"))
	wanted.Store(true)
	eventually(t, "ready again", ready)
	s.server.Kill()
	eventually(t, "Temporal is gone", says("Temporal cannot be asked"))
}
