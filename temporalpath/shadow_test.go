package temporalpath_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

const shadowQueue = "test-shadow"

// withShadows gives each route of the fixture the shadow task queue.
func withShadows(c *temporalpath.Config) {
	for name, route := range c.Routes {
		route.ShadowTaskQueue = shadowQueue
		c.Routes[name] = route
	}
}

// shadowWork runs a worker on the shadow task queue with the fixture's workflows,
// and whatever register adds, until the test ends or the returned function is
// called.
func (f *fixture) shadowWork(t *testing.T, register func(worker.Worker)) (stop func()) {
	t.Helper()
	w := worker.New(f.client, shadowQueue, worker.Options{})
	w.RegisterWorkflow(f.Plain)
	w.RegisterWorkflowWithOptions(func(_ workflow.Context, in wire.Input) (wire.Input, error) { return in, nil },
		workflow.RegisterOptions{Name: "Updated"})
	if register != nil {
		register(w)
	}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	f.polled(t, shadowQueue)
	stopped := false
	stop = func() {
		if !stopped {
			w.Stop()
		}
		stopped = true
	}
	t.Cleanup(stop)
	return stop
}

// polled waits until Temporal knows a worker that polls the task queue.
func (f *fixture) polled(t *testing.T, queue string) {
	t.Helper()
	for {
		known, err := f.client.DescribeTaskQueue(t.Context(), queue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			t.Fatal(err)
		}
		if len(known.Pollers) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestShadowRuns(t *testing.T) {
	f := newFixture(t, withShadows)
	f.work(t, f.client)
	f.shadowWork(t, nil)
	const enough = 20 * time.Second
	t.Run("is marked, and found by no real run", func(t *testing.T) { f.testMarks(t) })
	t.Run("each arm once", func(t *testing.T) {
		doc := document("Plain", "arms", order{Fail: "InvalidDocument"})
		for _, arm := range []string{"a", "b"} {
			run, err := f.path.Shadow(t.Context(), doc, arm, enough)
			if err != nil || run.State != rollout.RunFailed || run.Failure.Status != 422 {
				t.Errorf("arm %s: %+v, %v", arm, run, err)
			}
			doc.Life += 7 // a retry's, where the claim was forgotten
			if again, err := f.path.Shadow(t.Context(), doc, arm, enough); !errors.Is(err, rollout.ErrDuplicate) {
				t.Errorf("arm %s again: %+v, %v", arm, again, err)
			}
		}
		if n := f.ran("arms"); n != 2 {
			t.Errorf("two arms ran %d times", n)
		}
	})
	t.Run("a duplicate of one that runs", func(t *testing.T) {
		doc, first := document("Plain", "running", order{Sleep: 2 * time.Second}), make(chan error)
		go func() {
			_, err := f.path.Shadow(t.Context(), doc, "a", enough)
			first <- err
		}()
		for f.ran("running") == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		began := time.Now()
		if run, err := f.path.Shadow(t.Context(), doc, "a", enough); !errors.Is(err, rollout.ErrDuplicate) {
			t.Errorf("got %+v, %v after %v", run, err, time.Since(began))
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
	t.Run("no arm, no queue", func(t *testing.T) {
		if _, err := f.path.Shadow(t.Context(), document("Plain", "c", order{}), "c", enough); !errors.Is(err, rollout.ErrNotAccepted) {
			t.Errorf("arm c: %v", err)
		}
		bare := newFixture(t, nil)
		if _, err := bare.path.Shadow(t.Context(), document("Plain", "bare", order{}), "a", enough); !errors.Is(err, rollout.ErrNotAccepted) {
			t.Errorf("a route without a shadow task queue: %v", err)
		}
	})
}

// testMarks looks at a shadow run of a document that also runs for real.
func (f *fixture) testMarks(t *testing.T) {
	doc := document("Updated", "marked/1", order{Sleep: time.Second})
	f.run(t, doc, 0) // the real one, under way
	run, err := f.path.Shadow(t.Context(), doc, "a", 20*time.Second)
	var got wire.Input
	if err != nil || run.State != rollout.RunCompleted || json.Unmarshal(run.Answer.Body, &got) != nil {
		t.Fatalf("got %+v, %v, body %s", run, err, run.Answer.Body)
	}
	if !got.Shadow || got.DocID != doc.DocID || got.Intent != string(doc.Intent) || got.Life != 1 || string(got.Body) != string(doc.Body) {
		t.Errorf("the worker got %+v", got)
	}
	ids := rollout.WorkflowIDs{Prefix: "ingest"}
	want := "shadow/" + ids.Of(doc.DocID, doc.Intent, 1) + "/a"
	if run.WorkflowID != want {
		t.Errorf("run %s, want %s", run.WorkflowID, want)
	}
	described, err := f.client.WorkflowService().DescribeWorkflowExecution(t.Context(), &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: "default", Execution: &commonpb.WorkflowExecution{WorkflowId: want}})
	if err != nil {
		t.Fatal(err)
	}
	info := described.WorkflowExecutionInfo
	if memo := info.Memo.GetFields(); string(memo["sluice.shadow"].GetData()) != "true" || string(memo["doc_id"].GetData()) != `"marked/1"` {
		t.Errorf("memo %v", memo)
	}
	if info.TaskQueue != shadowQueue || info.Priority.GetPriorityKey() != 5 {
		t.Errorf("task queue %s, priority %v", info.TaskQueue, info.Priority)
	}
	if _, _, _, ours := ids.Parse(want, doc.DocID); ours {
		t.Errorf("%s is taken for a real run's", want)
	}
	if f.path.Waiters() != 0 {
		t.Error("it counts as a waiter")
	}
	f.recentHas(t, ids.Of(doc.DocID, doc.Intent, 1), want)
}

// recentHas waits until visibility knows both, and looks which are listed.
func (f *fixture) recentHas(t *testing.T, real, shadow string) {
	t.Helper()
	for _, id := range []string{real, shadow} {
		for known, deadline := 0, time.Now().Add(time.Minute); known == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			list, err := f.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowId = '" + id + "'"})
			if err != nil {
				t.Fatal(err)
			}
			known = len(list.Executions)
		}
	}
	listed := map[string]bool{}
	err := f.path.Recent(t.Context(), time.Now().Add(-time.Hour), func(life temporalpath.Life) error {
		listed[life.WorkflowID] = true
		return nil
	})
	if err != nil || !listed[real] || listed[shadow] {
		t.Errorf("listed %v, %v", listed, err)
	}
}

// A shadow that does not end is given up on time, and Temporal ends it then; one
// that takes longer than real runs may has timed out.
func TestShadowThatNeverEnds(t *testing.T) {
	f := newFixture(t, func(c *temporalpath.Config) {
		withShadows(c)
		c.StartTimeout = time.Second
		hasty := c.Routes["Plain"]
		hasty.ExecutionTimeout = time.Second
		c.Routes["Hasty"] = hasty
	})
	// Nobody works on the queue: the same for a shadow as a workflow that hangs.
	for route, want := range map[string]rollout.Run{
		"Plain": {State: rollout.RunRunning},
		"Hasty": {State: rollout.RunFailed, Failure: rollout.Failure{Type: rollout.FailureTimeout}},
	} {
		doc := document(route, route, order{Sleep: time.Hour})
		run, err := f.path.Shadow(t.Context(), doc, "a", 3*time.Second)
		if err != nil || run.State != want.State || run.Failure.Type != want.Failure.Type {
			t.Errorf("%s: got %+v, %v", route, run, err)
		}
	}
	id := rollout.WorkflowIDs{Prefix: "ingest"}.OfShadow("Plain", document("Plain", "Plain", order{}).Intent, "a")
	left, err := f.path.Follow(t.Context(), "Plain", id, 20*time.Second)
	if err != nil || left.Failure.Type != rollout.FailureTimeout {
		t.Errorf("what was given up goes on: %+v, %v", left, err)
	}
}

// The context's end is the caller's: it does not wait for Temporal.
func TestShadowsMayBeAbandoned(t *testing.T) {
	f := newFixture(t, withShadows)
	f.server.Kill()
	if run, err := f.path.Shadow(t.Context(), document("Plain", "gone", order{}), "a", 20*time.Second); !errors.Is(err, rollout.ErrUnavailable) {
		t.Errorf("got %+v, %v", run, err)
	}
}

// A configuration in which a shadow could be taken for a real run is refused.
func TestShadowsAreApart(t *testing.T) {
	f := newFixture(t, nil)
	for name, change := range map[string]func(*temporalpath.Config){
		"shadow":        func(c *temporalpath.Config) { c.IDs.Prefix = "shadow" },
		"shadow/ingest": func(c *temporalpath.Config) { c.IDs.Prefix = "shadow/ingest" },
		"the task queue o": func(c *temporalpath.Config) {
			c.Routes["b"] = temporalpath.Route{TaskQueue: "q", ShadowTaskQueue: "real"}
		},
	} {
		config := temporalpath.Config{
			Service: f.client.WorkflowService(), Namespace: "default", IDs: rollout.WorkflowIDs{Prefix: "ingest"},
			StartTimeout: time.Second, MaxWaiters: 1, MaxInput: 1 << 20,
			Routes: map[string]temporalpath.Route{"a": {TaskQueue: "real"}},
		}
		change(&config)
		if _, err := temporalpath.New(config); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// support is the workflow by which a worker declares what it serves.
func support(types ...string) func(worker.Worker) {
	return func(w worker.Worker) {
		w.RegisterWorkflowWithOptions(func(workflow.Context) (wire.Support, error) {
			return wire.Support{Types: types, BuildID: "b1"}, nil
		}, workflow.RegisterOptions{Name: wire.ShadowSupport})
	}
}

func TestShadowSupport(t *testing.T) {
	for name, test := range map[string]struct {
		register func(worker.Worker) // nil: no worker
		ok       bool
		reason   string
	}{
		"no worker":             {nil, false, `no worker polls the shadow task queue "test-shadow"`},
		"knows nothing of it":   {func(worker.Worker) {}, false, "unable to find workflow type: sluice.shadow-support"},
		"serves other types":    {support("Other", "Plainer"), false, "[Other, Plainer], which does not name Plain"},
		"serves nothing":        {support(), false, "[], which does not name Plain"},
		"serves it":             {support("Updated", "Plain"), true, ""},
		"fails":                 {answering(nil, temporal.NewNonRetryableApplicationError("not today", "No", nil)), false, "not today"},
		"says something else":   {answering("yes", nil), false, "is not in the form"},
		"says nothing":          {answering(nil, nil), false, "is not in the form"},
		"answers but not soon":  {slow, false, "none answered sluice.shadow-support within 5s"},
		"answers after a panic": {panicking, false, "it fails sluice.shadow-support: oops"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, withShadows)
			if test.register != nil {
				f.shadowWork(t, test.register)
			}
			got, err := f.path.ShadowSupport(t.Context(), "Plain")
			if err != nil || got.OK != test.ok || !strings.Contains(got.Reason, test.reason) || got.OK != (got.Reason == "") {
				t.Errorf("got %+v, %v; want it to say %q", got, err, test.reason)
			}
			if test.ok && got.BuildID != "b1" {
				t.Errorf("build %q", got.BuildID)
			}
			if test.ok {
				f.nothingLeft(t)
			}
		})
	}
}

func answering(result any, err error) func(worker.Worker) {
	return func(w worker.Worker) {
		w.RegisterWorkflowWithOptions(func(workflow.Context) (any, error) { return result, err }, workflow.RegisterOptions{Name: wire.ShadowSupport})
	}
}

func slow(w worker.Worker) {
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }, workflow.RegisterOptions{Name: wire.ShadowSupport})
}

func panicking(w worker.Worker) {
	w.RegisterWorkflowWithOptions(func(workflow.Context) error { panic("oops") }, workflow.RegisterOptions{Name: wire.ShadowSupport})
}

// nothingLeft waits until Temporal lists no question any more. It deletes closed
// runs when it next notes how far it has come, which it does twice a minute.
func (f *fixture) nothingLeft(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		list, err := f.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = '" + wire.ShadowSupport + "'"})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case len(list.Executions) == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d questions are left behind", len(list.Executions))
		}
	}
}

func TestShadowSupportNeedsAQueueAndTemporal(t *testing.T) {
	bare := newFixture(t, nil)
	if got, err := bare.path.ShadowSupport(t.Context(), "Plain"); err != nil || got.OK || !strings.Contains(got.Reason, `"Plain" has no workflow.shadow_task_queue`) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := bare.path.ShadowSupport(t.Context(), "None"); err == nil {
		t.Error("a route that is not there is supported")
	}
	f := newFixture(t, withShadows)
	f.server.Kill()
	if got, err := f.path.ShadowSupport(t.Context(), "Plain"); err == nil {
		t.Errorf("Temporal is gone, and got %+v", got)
	}
}
