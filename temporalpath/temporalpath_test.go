package temporalpath_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/temporaltest"
	"sluice/temporalpath/wire"
)

const queue = "test"

// workflows are what the tests start. executions counts runs by doc_id.
type workflows struct {
	mu         sync.Mutex
	executions map[string]int // guarded by mu
	failing    atomic.Bool
}

func (ws *workflows) ran(docID string) int {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.executions[docID]
}

// order tells the test workflow what to do.
type order struct {
	Sleep  time.Duration   `json:"sleep"`
	Fail   string          `json:"fail"`
	Detail json.RawMessage `json:"detail,omitempty"` // of the failure
	Echo   bool            `json:"echo"`             // the result is the input
	Result json.RawMessage `json:"result,omitempty"`
	Pad    string          `json:"pad"`
	Size   int             `json:"size"` // of the result, in bytes
}

func (ws *workflows) count(_ context.Context, docID string) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.executions[docID]++
	if ws.failing.Load() {
		return temporal.NewNonRetryableApplicationError("told to fail", "Told", nil)
	}
	return nil
}

func (ws *workflows) work(ctx workflow.Context, in wire.Input) (json.RawMessage, error) {
	var o order
	if err := json.Unmarshal(in.Body, &o); err != nil {
		return nil, temporal.NewNonRetryableApplicationError("not an order", "InvalidDocument", err)
	}
	options := workflow.LocalActivityOptions{StartToCloseTimeout: 5 * time.Second}
	if err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, options), ws.count, in.DocID).Get(ctx, nil); err != nil {
		return nil, err
	}
	if o.Sleep > 0 {
		if err := workflow.Sleep(ctx, o.Sleep); err != nil {
			return nil, err
		}
	}
	if o.Echo {
		return json.Marshal(map[string]any{"input": in})
	}
	if o.Detail != nil {
		return nil, temporal.NewNonRetryableApplicationError("as ordered", o.Fail, nil, o.Detail)
	}
	if o.Fail != "" {
		return nil, temporal.NewNonRetryableApplicationError("as ordered", o.Fail, nil)
	}
	if o.Result != nil {
		return o.Result, nil
	}
	return json.Marshal(map[string]any{"doc_id": in.DocID, "life": in.Life, "pad": len(o.Pad), "text": strings.Repeat("x", o.Size)})
}

// Plain offers no update.
func (ws *workflows) Plain(ctx workflow.Context, in wire.Input) (json.RawMessage, error) {
	return ws.work(ctx, in)
}

// Updated offers the update.
func (ws *workflows) Updated(ctx workflow.Context, in wire.Input) (json.RawMessage, error) {
	done, settle := workflow.NewFuture(ctx)
	err := workflow.SetUpdateHandler(ctx, wire.ResultUpdate, func(ctx workflow.Context) (json.RawMessage, error) {
		var result json.RawMessage
		err := done.Get(ctx, &result)
		return result, err
	})
	if err != nil {
		return nil, err
	}
	result, err := ws.work(ctx, in)
	settle.Set(result, err)
	if waited := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); waited != nil {
		return nil, waited
	}
	return result, err
}

type fixture struct {
	*workflows
	server *temporaltest.Server
	client client.Client
	path   *temporalpath.Path
}

func newFixture(t testing.TB, change func(*temporalpath.Config)) *fixture {
	t.Helper()
	f := &fixture{workflows: &workflows{executions: map[string]int{}}, server: temporaltest.Start(t)}
	var err error
	f.client, err = temporalpath.Dial(temporalpath.Dialing{Address: f.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	config := temporalpath.Config{
		Service: f.client.WorkflowService(), Namespace: "default", IDs: rollout.WorkflowIDs{Prefix: "ingest"},
		StartTimeout: 2 * time.Second, MaxWaiters: 100, MaxInput: 2<<20 - 16<<10,
		Routes: map[string]temporalpath.Route{},
	}
	for name, update := range map[string]bool{"Plain": false, "Updated": true} {
		config.Routes[name] = temporalpath.Route{WorkflowType: name, TaskQueue: queue, Update: update, Status: 201,
			Failures: map[string]int{"InvalidDocument": 422}}
	}
	config.Routes["Misnamed"] = temporalpath.Route{WorkflowType: "Plain", TaskQueue: queue, Update: true, Status: 201,
		Failures: map[string]int{"InvalidDocument": 422}}
	config.Routes["Idle"] = temporalpath.Route{WorkflowType: "Updated", TaskQueue: "nobody", Update: true, Status: 201}
	if change != nil {
		change(&config)
	}
	if f.path, err = temporalpath.New(config); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) work(t testing.TB, c client.Client) {
	t.Helper()
	// Under the race detector a large document takes seconds to decode.
	w := worker.New(c, queue, worker.Options{DeadlockDetectionTimeout: time.Minute})
	w.RegisterWorkflow(f.Plain)
	w.RegisterWorkflow(f.Updated)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func document(route, id string, o order) *rollout.Document {
	body, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return &rollout.Document{Route: route, DocID: id, Body: body, ContentType: "application/json",
		Intent: rollout.KeyedIntent(route, "", id, "key"), Life: 1}
}

func (f *fixture) run(t *testing.T, doc *rollout.Document, wait time.Duration) rollout.Run {
	t.Helper()
	run, err := f.path.Run(t.Context(), doc, wait)
	if err != nil {
		t.Fatalf("%s: %v", doc.DocID, err)
	}
	return run
}

func TestRun(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated", "Misnamed"} {
		t.Run(route, func(t *testing.T) { f.testRoute(t, route) })
	}
}

// testRoute holds for every way of waiting.
func (f *fixture) testRoute(t *testing.T, route string) {
	id := func(name string) string { return route + "/" + name }
	const enough = 20 * time.Second

	t.Run("a result", func(t *testing.T) {
		run := f.run(t, document(route, id("result"), order{}), enough)
		if run.State != rollout.RunCompleted || run.Answer.Status != 201 || !strings.Contains(string(run.Answer.Body), id("result")) {
			t.Errorf("got %+v, body %s", run, run.Answer.Body)
		}
		again := f.run(t, document(route, id("result"), order{}), enough)
		if string(again.Answer.Body) != string(run.Answer.Body) || f.ran(id("result")) != 1 {
			t.Errorf("the repeat got %s after %d runs", again.Answer.Body, f.ran(id("result")))
		}
	})
	t.Run("a result with status and headers", func(t *testing.T) {
		run := f.run(t, document(route, id("envelope"), order{Result: json.RawMessage(`{"status":203,"headers":{"x-a":["1","2"],"content-type":["text/plain"]},"body":"plain"}`)}), enough)
		if run.Answer.Status != 203 || string(run.Answer.Body) != "plain" || len(run.Answer.Header["X-A"]) != 2 {
			t.Errorf("got %+v, body %s", run.Answer, run.Answer.Body)
		}
	})
	t.Run("a failure of the table, again, and the next life", func(t *testing.T) {
		doc := document(route, id("invalid"), order{Fail: "InvalidDocument"})
		run := f.run(t, doc, enough)
		if run.State != rollout.RunFailed || run.Failure.Status != http.StatusUnprocessableEntity || run.Failure.Type != "InvalidDocument" {
			t.Errorf("got %+v", run)
		}
		if again := f.run(t, doc, enough); again.Failure != run.Failure || f.ran(id("invalid")) != 1 {
			t.Errorf("the repeat was %+v after %d runs", again, f.ran(id("invalid")))
		}
		doc.Life++
		if next := f.run(t, doc, enough); !strings.HasSuffix(next.WorkflowID, "/2") || f.ran(id("invalid")) != 2 {
			t.Errorf("the next life was %s after %d runs", next.WorkflowID, f.ran(id("invalid")))
		}
	})
	t.Run("another failure is 502", func(t *testing.T) {
		run := f.run(t, document(route, id("odd"), order{Fail: "Odd"}), enough)
		if run.Failure.Status != http.StatusBadGateway || run.Failure.Type != "Odd" || run.Failure.Message != "as ordered" {
			t.Errorf("got %+v", run.Failure)
		}
	})
	t.Run("failures with a detail", func(t *testing.T) {
		for i, test := range []struct {
			fail, detail string
			status       int
			public       bool
			body         string
		}{
			{"InvalidDocument", `{"status":409,"headers":{"x-kind":"invoice"},"body":{"code":"E17"}}`, 409, true, `{"code":"E17"}`},
			{"Odd", `{"status":503,"headers":{"content-type":"text/plain","retry-after":"5"},"body":"later"}`, 503, false, "later"},
			{"InvalidDocument", `{"row":7}`, 422, true, ""},
			{"InvalidDocument", `{"status":200,"body":1}`, 422, true, ""},
			{"InvalidDocument", `{"status":"late"}`, 422, true, ""},
		} {
			run := f.run(t, document(route, id(fmt.Sprint("detail-", i)), order{Fail: test.fail, Detail: json.RawMessage(test.detail)}), enough)
			got := run.Failure
			if run.State != rollout.RunFailed || got.Type != test.fail || got.Status != test.status || got.Public != test.public || (got.Answer != nil) != (test.body != "") {
				t.Errorf("%s: %+v", test.detail, got)
			}
			if noted := strings.Contains(test.detail, "status") && test.body == ""; (got.Note != "") != noted || got.Message != "as ordered" {
				t.Errorf("%s: %q, noted %q", test.detail, got.Message, got.Note)
			}
			if got.Answer != nil && string(got.Answer.Body) != test.body {
				t.Errorf("%s: %s", test.detail, got.Answer.Body)
			}
		}
	})
	t.Run("what is nearly an answer", func(t *testing.T) {
		run := f.run(t, document(route, id("nearly"), order{Result: json.RawMessage(`{"status":422,"headers":{"X-Kind":7},"body":{}}`)}), enough)
		if run.State != rollout.RunFailed || run.Failure.Type != rollout.FailureBadResult || run.Failure.Status != 502 || !strings.Contains(run.Failure.Message, `headers["X-Kind"]`) {
			t.Errorf("got %+v", run)
		}
	})
	t.Run("the input tells what was asked", func(t *testing.T) {
		doc := document(route, id("asked"), order{Echo: true})
		doc.Method, doc.Path, doc.Query, doc.PathParts, doc.Tenant = "PUT", "/v1/a%2Fb", "dry_run=true", map[string]string{"id": "a/b"}, "acme"
		run := f.run(t, doc, enough)
		var got struct{ Input wire.Input }
		if err := json.Unmarshal(run.Answer.Body, &got); err != nil {
			t.Fatal(err)
		}
		in := got.Input
		if in.Method != "PUT" || in.Path != "/v1/a%2Fb" || in.Query != "dry_run=true" || in.PathParts["id"] != "a/b" || in.Tenant != "acme" || in.DocID != doc.DocID {
			t.Errorf("got %+v", in)
		}
	})
	t.Run("at once, then looked up", func(t *testing.T) {
		doc := document(route, id("async"), order{Sleep: time.Second})
		run := f.run(t, doc, 0)
		if run.State != rollout.RunRunning {
			t.Fatalf("got %+v", run)
		}
		now, found, err := f.path.Lookup(t.Context(), route, run.WorkflowID)
		if err != nil || !found || now.State != rollout.RunRunning {
			t.Errorf("at once: %+v, %v, %v", now, found, err)
		}
		joined := f.run(t, doc, enough)
		if joined.State != rollout.RunCompleted || f.ran(id("async")) != 1 {
			t.Errorf("joining it: %+v after %d runs", joined, f.ran(id("async")))
		}
		now, found, err = f.path.Lookup(t.Context(), route, run.WorkflowID)
		if err != nil || !found || now.State != rollout.RunCompleted || string(now.Answer.Body) != string(joined.Answer.Body) {
			t.Errorf("at the end: %+v, %v, %v", now, found, err)
		}
	})
	t.Run("longer than the wait", func(t *testing.T) {
		doc := document(route, id("slow"), order{Sleep: 2 * time.Second})
		if run := f.run(t, doc, 300*time.Millisecond); run.State != rollout.RunRunning {
			t.Errorf("got %+v", run)
		}
		if run := f.run(t, doc, enough); run.State != rollout.RunCompleted || f.ran(id("slow")) != 1 {
			t.Errorf("the repeat: %+v after %d runs", run, f.ran(id("slow")))
		}
	})
	t.Run("many at once are one", func(t *testing.T) {
		doc := document(route, id("many"), order{Sleep: time.Second})
		var group sync.WaitGroup
		for range 30 {
			group.Go(func() {
				run, err := f.path.Run(context.Background(), doc, enough)
				if err != nil || run.State != rollout.RunCompleted {
					t.Errorf("got %+v, %v", run, err)
				}
			})
		}
		group.Wait()
		if n := f.ran(id("many")); n != 1 {
			t.Errorf("it ran %d times", n)
		}
	})
	t.Run("ended from outside", func(t *testing.T) {
		doc := document(route, id("ended"), order{Sleep: time.Minute})
		run := f.run(t, doc, 0)
		if err := f.client.TerminateWorkflow(t.Context(), run.WorkflowID, "", "test"); err != nil {
			t.Fatal(err)
		}
		now, _, err := f.path.Lookup(t.Context(), route, run.WorkflowID)
		if err != nil || now.State != rollout.RunFailed || now.Failure.Type != "terminated" {
			t.Errorf("got %+v, %v", now, err)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		if _, found, err := f.path.Lookup(t.Context(), route, "ingest/none/d0/1"); found || err != nil {
			t.Errorf("found %v, %v", found, err)
		}
	})
}

func TestWithoutWorkersTheDocumentIsHeld(t *testing.T) {
	f := newFixture(t, nil)
	run := f.run(t, document("Idle", "idle", order{}), 500*time.Millisecond)
	if run.State != rollout.RunRunning {
		t.Errorf("got %+v", run)
	}
	workers := f.path.Workers()
	if workers.Up() {
		t.Error("up before it was asked")
	}
	ctx, cancel := context.WithCancel(t.Context())
	go workers.Watch(ctx, 50*time.Millisecond, nil)
	defer cancel()
	for workers.Pollers(queue) != 0 || !workers.Up() {
		time.Sleep(10 * time.Millisecond)
	}
	f.work(t, f.client)
	for workers.Pollers(queue) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if workers.Pollers("nobody") != 0 {
		t.Error("the idle queue has pollers")
	}
}

func TestTooManyWaiters(t *testing.T) {
	f := newFixture(t, func(c *temporalpath.Config) { c.MaxWaiters = 1 })
	f.work(t, f.client)
	first := make(chan rollout.Run)
	go func() {
		run, _ := f.path.Run(context.Background(), document("Updated", "first", order{Sleep: 2 * time.Second}), 20*time.Second)
		first <- run
	}()
	for f.path.Waiters() == 0 {
		time.Sleep(time.Millisecond)
	}
	if run := f.run(t, document("Updated", "second", order{}), 20*time.Second); run.State != rollout.RunRunning {
		t.Errorf("the second got %+v", run)
	}
	if run := <-first; run.State != rollout.RunCompleted {
		t.Errorf("the first got %+v", run)
	}
}

func TestServerGone(t *testing.T) {
	f := newFixture(t, nil)
	f.server.Kill()
	for _, route := range []string{"Plain", "Updated"} {
		began := time.Now()
		_, err := f.path.Run(t.Context(), document(route, "gone", order{}), 20*time.Second)
		if !errors.Is(err, rollout.ErrNotAccepted) || errors.Is(err, temporalpath.ErrAmbiguous) {
			t.Errorf("%s: got %v", route, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: blocked for %v", route, took)
		}
	}
}

// A frozen server takes the bytes and says nothing: nobody can know, until it
// thaws. Then the same request finds the one run.
func TestServerFrozen(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	f.run(t, document("Updated", "warm", order{}), 20*time.Second)
	for _, route := range []string{"Plain", "Updated"} {
		f.server.Freeze()
		began := time.Now()
		_, err := f.path.Run(t.Context(), document(route, route+"-frozen", order{}), 20*time.Second)
		if !errors.Is(err, temporalpath.ErrAmbiguous) || errors.Is(err, rollout.ErrNotAccepted) {
			t.Errorf("%s: got %v", route, err)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s: blocked for %v", route, took)
		}
		f.server.Thaw()
		run := f.run(t, document(route, route+"-frozen", order{}), 30*time.Second)
		if run.State != rollout.RunCompleted || f.ran(route+"-frozen") != 1 {
			t.Errorf("%s: %+v after %d runs", route, run, f.ran(route+"-frozen"))
		}
	}
}

// Only a document that Temporal ran is known, whatever its name holds.
func TestRan(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	names := []string{"plain", `it's 100%_`, "a/b"}
	for _, id := range names {
		f.listed(t, f.run(t, document("Updated", id, order{}), 20*time.Second).WorkflowID, id)
	}
	for _, id := range names {
		if ran, err := f.path.Ran(t.Context(), id); err != nil || !ran {
			t.Errorf("%q: %v, %v", id, ran, err)
		}
	}
	for _, id := range []string{"plai", "a", "it's 100xx", "' OR WorkflowId STARTS_WITH 'ingest"} {
		if ran, err := f.path.Ran(t.Context(), id); err != nil || ran {
			t.Errorf("%q: %v, %v", id, ran, err)
		}
	}
	for _, id := range []string{strings.Repeat("x", 400), `a\b`} {
		if _, err := f.path.Ran(t.Context(), id); !errors.Is(err, temporalpath.ErrUnlisted) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestRefusalsProve(t *testing.T) {
	f := newFixture(t, func(c *temporalpath.Config) { c.MaxInput = 8 << 20 })
	for name, doc := range map[string]*rollout.Document{
		"over the blob limit":    document("Plain", "blob", order{Pad: strings.Repeat("x", 3<<20)}),
		"over the message limit": document("Updated", "message", order{Pad: strings.Repeat("x", 5<<20)}),
		"no such route":          document("None", "none", order{}),
	} {
		if _, err := f.path.Run(t.Context(), doc, time.Second); !errors.Is(err, rollout.ErrNotAccepted) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOversize(t *testing.T) {
	f := newFixture(t, func(c *temporalpath.Config) { c.MaxInput = 10_000 })
	for _, test := range []struct {
		body     string
		oversize bool
	}{
		{`{}`, false},
		{`"` + strings.Repeat("x", 8_000) + `"`, false},
		{`"` + strings.Repeat("<", 8_000) + `"`, false}, // not escaped on the way
		{strings.Repeat("x", 8_000), true},              // not JSON: a third longer
		{strings.Repeat("x", 6_000), false},
		{`"` + strings.Repeat("x", 10_000) + `"`, true},
	} {
		doc := &rollout.Document{Route: "Plain", DocID: "d", Body: []byte(test.body), ContentType: "application/json"}
		if got := f.path.Oversize(doc); got != test.oversize {
			t.Errorf("%d bytes of %.2q: %v", len(test.body), test.body, got)
		}
	}
}
