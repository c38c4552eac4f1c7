package temporalpath_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/closing"
	"sluice/temporalpath/shadowruns"
	"sluice/temporalpath/wire"
)

// brittle keeps no payload elsewhere, and at times cannot give results back.
type brittle struct{ away atomic.Bool }

func (*brittle) Name() string { return "brittle" }

func (b *brittle) Store(_ context.Context, p *commonpb.Payload) (*commonpb.Payload, error) {
	return p, nil
}

func (b *brittle) Load(_ context.Context, p *commonpb.Payload) (*commonpb.Payload, error) {
	if b.away.Load() && bytes.Contains(p.Data, []byte("doc_id")) {
		return nil, errors.New("the bucket is away")
	}
	return p, nil
}

// A second run does not begin once it is too late for one.
func TestNoSecondRunBeginsLate(t *testing.T) {
	t.Parallel()
	f := newTogether(t, nil)
	request := func(id string) *workflowservice.StartWorkflowExecutionRequest {
		input, err := converter.GetDefaultDataConverter().ToPayloads(wire.Input{DocID: id, Body: []byte(`{"sleep":1500000000}`)})
		if err != nil {
			t.Fatal(err)
		}
		return &workflowservice.StartWorkflowExecutionRequest{
			Namespace: "default", WorkflowId: id, RequestId: id, Input: input,
			WorkflowType: &commonpb.WorkflowType{Name: "Plain"}, TaskQueue: &taskqueuepb.TaskQueue{Name: shadowQueue},
		}
	}
	runner := shadowruns.Runner{
		Watch:    closing.Watch{Service: f.client.WorkflowService(), Namespace: "default"},
		Parallel: 2, Linger: 10 * time.Second, StartTimeout: 2 * time.Second,
	}
	for begin, want := range map[time.Duration]bool{time.Second: false, time.Minute: true} {
		runner.Begin = begin
		twin := shadowruns.Twin{First: request(begin.String() + "/a"), Second: request(begin.String() + "/b")}
		end := runner.Run(t.Context(), []shadowruns.Twin{twin}, 0)[0]
		if end.First.Closed == nil || (end.Second != nil) != want || f.ran(begin.String()+"/b") > 0 != want {
			t.Errorf("with %v to begin: %+v", begin, end)
		}
	}
}

// A result that cannot be read is no answer: it is asked for again, or nothing is known.
func TestResultsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	codec := &brittle{}
	codec.away.Store(true)
	f := newTogether(t, served, func(c *temporalpath.Config) { c.Codec = codec })
	twins := []rollout.Twin{plain("one", order{}), plain("two", order{})}
	for i, m := range f.shadows.Together(t.Context(), "Plain", twins, 0) {
		if m.Err != nil || m.Run.State != rollout.RunRunning {
			t.Errorf("%d: %+v", i, m)
		}
	}
	if run, _, err := f.shadows.Shadowed(t.Context(), twins[0].Doc, "a", 10*time.Second); err == nil {
		t.Errorf("%+v", run)
	}
	codec.away.Store(false)
	if run, _, err := f.shadows.Shadowed(t.Context(), twins[0].Doc, "a", 10*time.Second); err != nil || run.State != rollout.RunCompleted {
		t.Errorf("%+v, %v", run, err)
	}
}

// A run that Temporal ended because nobody would wait any more did not end by itself.
func TestARunThatWasGivenUpHasNotEnded(t *testing.T) {
	t.Parallel()
	f := newTogether(t, nil)
	shadows := temporalpath.NewShadows(f.path, 16, time.Second, nil)
	twin := plain("hangs", order{Sleep: time.Hour})
	if got := shadows.Together(t.Context(), "Plain", []rollout.Twin{twin}, 0); got[0].Run.State != rollout.RunRunning {
		t.Errorf("%+v", got)
	}
	for { // the path knows that it has ended
		run, _, err := f.path.Shadowed(t.Context(), twin.Doc, "a", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if run.State == rollout.RunFailed && run.Failure.Type == rollout.FailureTimeout {
			break
		}
	}
	if run, _, err := shadows.Shadowed(t.Context(), twin.Doc, "a", time.Second); err != nil || run.State != rollout.RunRunning {
		t.Errorf("%+v, %v", run, err)
	}
}

// What is late does not begin, and what is abandoned ends soon.
func TestTogetherHasAnEnd(t *testing.T) {
	t.Parallel()
	f := newTogether(t, nil)
	var starts []shadowruns.Twin
	for i := range 4 {
		starts = append(starts, shadowruns.Twin{First: &workflowservice.StartWorkflowExecutionRequest{WorkflowId: fmt.Sprint(i)}})
	}
	runner := shadowruns.Runner{Parallel: 1, Begin: 100 * time.Millisecond, Linger: time.Second, StartTimeout: time.Second}
	runner.Watch.Service = f.started // which refuses such starts
	for i, end := range runner.Run(t.Context(), starts, time.Second) {
		if late := errors.Is(end.First.Err, shadowruns.ErrLate); late != (i > 0) || end.First.Err == nil {
			t.Errorf("%d: %v", i, end.First.Err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	got := f.shadows.Together(ctx, "Plain", []rollout.Twin{plain("hangs", order{Sleep: time.Hour}), plain("never", order{})}, 5*time.Second)
	if got[0].Err == nil && got[0].Run.State != rollout.RunRunning || got[1].Err == nil || f.ran("never") != 0 {
		t.Errorf("%+v", got)
	}
	if unknown := f.shadows.Together(t.Context(), "None", make([]rollout.Twin, 2), 0); unknown[0].Err == nil || unknown[1].Err == nil {
		t.Errorf("a route that is not there: %+v", unknown)
	}
}
