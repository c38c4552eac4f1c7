package temporalpath_test

import (
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

// held starts a document whose start Temporal holds back, and returns its
// workflow's ID.
func (f *fixture) held(t *testing.T, route, docID string, delay time.Duration, o order) (*rollout.Document, string) {
	t.Helper()
	doc := document(route, docID, o)
	doc.Delay = delay
	run := f.run(t, doc, 20*time.Second)
	if run.State != rollout.RunRunning {
		t.Fatalf("%s: %+v", docID, run)
	}
	return doc, run.WorkflowID
}

// begins waits until the document's workflow is at work.
func (f *fixture) begins(t *testing.T, docID string) {
	t.Helper()
	for range 1000 {
		if f.ran(docID) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not begin", docID)
}

// What Temporal holds back is durable and does nothing, however often it is
// started again, looked up or waited for, until it is released: then it begins at
// once, runs once and ends as any other, whether or not it knows the signal.
func TestDelayedStart(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated"} {
		docID := route + "-held"
		doc, id := f.held(t, route, docID, time.Hour, order{})
		f.run(t, doc, 20*time.Second) // the same start again
		if run, err := f.path.Follow(t.Context(), route, id, 2*time.Second); err != nil || run.State != rollout.RunRunning {
			t.Errorf("%s, followed: %+v, %v", docID, run, err)
		}
		if run, found, err := f.path.Lookup(t.Context(), route, id); err != nil || !found || run.State != rollout.RunRunning {
			t.Errorf("%s, looked up: %+v, %v, %v", docID, run, found, err)
		}
		if held, err := f.path.Fence(t.Context(), id); err != nil || !held {
			t.Errorf("%s, fenced: held %v, %v", docID, held, err)
		}
		if f.ran(docID) > 0 || !f.delayedOf(t, id) {
			t.Errorf("%s is not held back", docID)
		}
		for range 2 {
			if err := f.path.Release(t.Context(), id); err != nil {
				t.Errorf("%s: %v", docID, err)
			}
		}
		run, err := f.path.Follow(t.Context(), route, id, 20*time.Second)
		if err != nil || run.State != rollout.RunCompleted || f.ran(docID) != 1 {
			t.Errorf("%s: %+v, %v after %d runs", docID, run, err, f.ran(docID))
		}
		if err := f.path.Release(t.Context(), id); err != nil {
			t.Errorf("%s, when it has ended: %v", docID, err)
		}
		if again := f.run(t, doc, 20*time.Second); again.State != rollout.RunCompleted || f.ran(docID) != 1 {
			t.Errorf("%s, started again: %+v after %d runs", docID, again, f.ran(docID))
		}
	}
}

// delayedOf asks the list of runs, which lags behind.
func (f *fixture) delayedOf(t *testing.T, id string) (delayed bool) {
	t.Helper()
	for range 1000 {
		found := false
		err := f.path.Recent(t.Context(), time.Now().Add(-time.Hour), func(life temporalpath.Life) error {
			if life.WorkflowID == id {
				found, delayed = true, life.Delayed
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if found {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return delayed
}

// Releasing what is not there starts nothing but a tombstone.
func TestReleaseOfNothingIsAFence(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	doc := document("Plain", "nothing", order{})
	id := rollout.WorkflowIDs{Prefix: "ingest"}.Of(doc.DocID, doc.Intent, doc.Life)
	if err := f.path.Release(t.Context(), id); !errors.Is(err, rollout.ErrFenced) {
		t.Errorf("got %v", err)
	}
	if _, err := f.path.Run(t.Context(), doc, 20*time.Second); !errors.Is(err, rollout.ErrFenced) || f.ran("nothing") != 0 {
		t.Errorf("a start after it: %v, %d runs", err, f.ran("nothing"))
	}
}

// Without a release it begins when the delay is over, and has the whole of its
// execution timeout from then on.
func TestDelayedStartBeginsByItself(t *testing.T) {
	f := newFixture(t, func(c *temporalpath.Config) {
		limited := c.Routes["Plain"]
		limited.ExecutionTimeout = 3 * time.Second
		c.Routes["Limited"] = limited
	})
	f.work(t, f.client)
	const delay = 4 * time.Second
	began := time.Now()
	_, short := f.held(t, "Limited", "short", delay, order{Sleep: time.Second})
	_, long := f.held(t, "Limited", "long", delay, order{Sleep: time.Minute})
	if run, err := f.path.Follow(t.Context(), "Limited", short, 30*time.Second); err != nil || run.State != rollout.RunCompleted {
		t.Errorf("%+v, %v", run, err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("it ended after %v", took)
	}
	if run, err := f.path.Follow(t.Context(), "Limited", long, 30*time.Second); err != nil || run.Failure.Type != rollout.FailureTimeout {
		t.Errorf("%+v, %v", run, err)
	}
}

// What the design leans on: a plain signal does not release, and any update does,
// so that none may be sent to what is held back.
func TestWhatReleasesADelayedStart(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	execution := func(id string) *commonpb.WorkflowExecution { return &commonpb.WorkflowExecution{WorkflowId: id} }
	_, signalled := f.held(t, "Updated", "signalled", time.Hour, order{})
	_, err := f.client.WorkflowService().SignalWorkflowExecution(t.Context(), &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: execution(signalled), SignalName: wire.BeginSignal,
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, joined := f.held(t, "Updated", "joined", time.Hour, order{})
	doc.Delay = 0 // a request whose turn has come sends the update along
	if run := f.run(t, doc, 20*time.Second); run.State != rollout.RunCompleted || run.WorkflowID != joined {
		t.Errorf("%+v", run)
	}
	_, updated := f.held(t, "Updated", "updated", time.Hour, order{})
	_, err = f.client.WorkflowService().UpdateWorkflowExecution(t.Context(), &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: execution(updated),
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
		Request:    &updatepb.Request{Meta: &updatepb.Meta{UpdateId: "any"}, Input: &updatepb.Input{Name: wire.ResultUpdate}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.begins(t, "updated")
	if f.ran("joined") != 1 || f.ran("updated") != 1 || f.ran("signalled") != 0 {
		t.Errorf("runs: joined %d, updated %d, signalled %d", f.ran("joined"), f.ran("updated"), f.ran("signalled"))
	}
	if err := f.path.Release(t.Context(), signalled); err != nil {
		t.Fatal(err)
	}
	f.begins(t, "signalled")
}

// A release outlives the server that took it, and needs no worker.
func TestReleaseIsDurable(t *testing.T) {
	f := newFixture(t, nil)
	_, id := f.held(t, "Updated", "durable", time.Hour, order{})
	if err := f.path.Release(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	time.Sleep(7 * time.Second) // longer than a task that is in memory only would last
	f.work(t, f.client)
	f.begins(t, "durable")
}
