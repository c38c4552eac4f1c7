package temporalpath_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/shadowruns"
	"sluice/temporalpath/wire"
)

// started counts, by workflow type, what the gateway's side starts itself. It loses some
// acknowledgements of batches.
type started struct {
	workflowservice.WorkflowServiceClient
	mu    sync.Mutex
	types map[string]int // guarded by mu
	lost  int            // guarded by mu
}

func (s *started) StartWorkflowExecution(ctx context.Context, in *workflowservice.StartWorkflowExecutionRequest, o ...grpc.CallOption) (*workflowservice.StartWorkflowExecutionResponse, error) {
	response, err := s.WorkflowServiceClient.StartWorkflowExecution(ctx, in, o...)
	s.mu.Lock()
	defer s.mu.Unlock()
	name := in.GetWorkflowType().GetName()
	s.types[name]++
	if name == wire.ShadowBatch && s.lost > 0 {
		s.lost--
		return nil, serviceerror.NewDeadlineExceeded("the acknowledgement is lost")
	}
	return response, err
}

func (s *started) of(workflowType string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.types[workflowType]
}

// together is a fixture whose shadow worker says that it serves batches, if serve is
// how.
type together struct {
	*fixture
	started *started
	shadows *temporalpath.Shadows
	stop    func()       // the worker
	broke   atomic.Int32 // so many batches
}

func newTogether(t *testing.T, serve func(worker.Worker), changes ...func(*temporalpath.Config)) *together {
	t.Helper()
	s := &started{types: map[string]int{}}
	f := newFixture(t, func(c *temporalpath.Config) {
		withShadows(c)
		s.WorkflowServiceClient, c.Service = c.Service, s
		for _, change := range changes {
			change(c)
		}
	})
	stop := f.shadowWork(t, declaring(serve))
	watch := f.path.Workers()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { watch.WatchShadows(ctx, 10*time.Second, func() bool { return true }) })
	t.Cleanup(func() { cancel(); watching.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		ready, reason := watch.ShadowReady("Plain")
		if ready && watch.Asked("Plain") { // since runs are wanted: what was said before is forgotten then
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(reason)
		}
	}
	all := &together{fixture: f, started: s, stop: stop}
	all.shadows = temporalpath.NewShadows(f.path, 16, 20*time.Second, func(string, error) { all.broke.Add(1) })
	return all
}

// declaring registers the declaration of support, and what serves batches, if any.
func declaring(serve func(worker.Worker)) func(worker.Worker) {
	return func(w worker.Worker) {
		w.RegisterWorkflowWithOptions(func(workflow.Context) (wire.Support, error) {
			return wire.Support{Types: []string{"Plain"}, Batches: serve != nil}, nil
		}, workflow.RegisterOptions{Name: wire.ShadowSupport})
		if serve != nil {
			serve(w)
		}
	}
}

func served(w worker.Worker) { shadowruns.Register(w) }

// broken serves batches, and fails each.
func broken(w worker.Worker) {
	w.RegisterWorkflowWithOptions(func(workflow.Context, wire.Batch) (*wire.Ends, error) {
		return nil, errors.New("it broke")
	}, workflow.RegisterOptions{Name: wire.ShadowBatch})
}

func plain(id string, o order) rollout.Twin { return rollout.Twin{Doc: document("Plain", id, o)} }

// However they are run, each is run once, and what it did is known.
func TestTogether(t *testing.T) {
	for name, test := range map[string]struct {
		serve          func(worker.Worker)
		batches, alone int // that the gateway starts
		lost           int // acknowledgements
	}{
		"by a worker":                       {served, 1, 1, 0},
		"by a worker that was asked twice":  {served, 2, 1, 1},
		"by a worker that knows no batches": {nil, 0, 7, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTogether(t, test.serve)
			f.started.lost = test.lost
			before := plain("before", order{})
			if _, err := f.path.Shadow(t.Context(), before.Doc, "a", 20*time.Second); err != nil {
				t.Fatal(err)
			}
			pair := plain("pair", order{})
			pair.Pair = true
			twins := []rollout.Twin{
				plain("well", order{}), plain("invalid", order{Fail: "InvalidDocument"}), before, pair,
				plain("slow", order{Sleep: 6 * time.Second}), plain("big", order{Pad: strings.Repeat("x", 300<<10)}),
			}
			checkTogether(t, f.shadows.Together(t.Context(), "Plain", twins, 200*time.Millisecond))
			if batches, alone := f.started.of(wire.ShadowBatch), f.started.of("Plain")-1; batches != test.batches || alone != test.alone {
				t.Errorf("%d batches and %d runs were started, want %d and %d", batches, alone, test.batches, test.alone)
			}
			run, _, err := f.shadows.Shadowed(t.Context(), twins[4].Doc, "a", 20*time.Second)
			if err != nil || run.State != rollout.RunCompleted {
				t.Errorf("the slow one: %+v, %v", run, err)
			}
			for _, twin := range twins {
				want := 1
				if twin.Pair {
					want = 2
				}
				if n := f.ran(twin.Doc.DocID); n != want {
					t.Errorf("%s ran %d times", twin.Doc.DocID, n)
				}
			}
		})
	}
}

// Of the runs of a batch that broke, or that nobody acknowledged, nothing is said; the
// next ones are started one by one, where workers cannot be trusted with batches.
func TestTogetherInABatchThatBreaks(t *testing.T) {
	for name, test := range map[string]struct {
		serve       func(worker.Worker)
		lost, broke int
	}{
		"it fails":            {broken, 0, 1},
		"no acknowledgements": {served, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTogether(t, test.serve)
			f.started.lost = test.lost
			for i, m := range f.shadows.Together(t.Context(), "Plain", []rollout.Twin{plain("one", order{}), plain("two", order{})}, 0) {
				if m.Err == nil || errors.Is(m.Err, rollout.ErrNotAccepted) || errors.Is(m.Err, rollout.ErrDuplicate) {
					t.Errorf("%d: %+v", i, m)
				}
			}
			if n := int(f.broke.Load()); n != test.broke {
				t.Errorf("%d batches broke", n)
			}
			for i, m := range f.shadows.Together(t.Context(), "Plain", []rollout.Twin{plain("next", order{})}, 0) {
				if m.Err != nil || m.Run.State != rollout.RunCompleted {
					t.Errorf("%d: %+v", i, m)
				}
			}
			if n := f.started.of("Plain"); n != test.broke {
				t.Errorf("the gateway started %d itself", n)
			}
		})
	}
}

// checkTogether looks at what came of the six documents of TestTogether.
func checkTogether(t *testing.T, got []rollout.Mirrored) {
	t.Helper()
	for i, id := range []string{"well", "invalid", "before", "pair", "slow", "big"} {
		m, want := &got[i], rollout.RunCompleted
		switch id {
		case "invalid":
			want = rollout.RunFailed
		case "before":
			if !errors.Is(m.Err, rollout.ErrDuplicate) {
				t.Errorf("%s: %+v", id, m)
			}
			continue
		case "slow":
			want = rollout.RunRunning
		}
		if m.Err != nil || m.Run.State != want || !strings.Contains(m.Run.WorkflowID, "/"+id+"/") {
			t.Errorf("%s: %+v", id, m)
		}
		if m.Took <= 0 {
			t.Errorf("%s took %v", id, m.Took)
		}
		if want == rollout.RunCompleted && (!strings.Contains(string(m.Run.Answer.Body), id) || m.Run.Closed.IsZero()) {
			t.Errorf("%s: %s, closed %v", id, m.Run.Answer.Body, m.Run.Closed)
		}
		if second := m.Again != nil; second != (id == "pair") || second && (m.Again.State != rollout.RunCompleted || m.Again.WorkflowID == m.Run.WorkflowID) {
			t.Errorf("%s again: %+v", id, m.Again)
		}
	}
	if got[1].Run.Failure.Status != 422 {
		t.Errorf("the invalid one: %+v", got[1].Run)
	}
}

// Results that are too large to be held together are asked for one by one.
func TestTogetherWithLargeResults(t *testing.T) {
	for name, serve := range map[string]func(worker.Worker){"by a worker": served, "by the gateway": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newTogether(t, serve).testLargeResults(t, 8, order{Size: 200 << 10}, 3)
		})
	}
}

// Neither are those together that come one by one, for the documents are large too.
func TestTogetherWithAllLarge(t *testing.T) {
	t.Parallel()
	const size = 200 << 10
	newTogether(t, served).testLargeResults(t, 30, order{Pad: strings.Repeat("x", size), Size: size}, 9)
}

// testLargeResults runs so many of a kind, of which there is room for all but least, and
// the others are left to be asked for.
func (f *together) testLargeResults(t *testing.T, n int, o order, least int) {
	t.Helper()
	var twins []rollout.Twin
	for i := range n {
		twins = append(twins, plain(fmt.Sprint("large", i), o))
	}
	open := 0
	for i, m := range f.shadows.Together(t.Context(), "Plain", twins, 0) {
		if m.Err != nil {
			t.Errorf("%d: %v", i, m.Err)
		}
		if m.Run.State == rollout.RunRunning {
			open++
			var err error
			if m.Run, _, err = f.path.Shadowed(t.Context(), twins[i].Doc, "a", 20*time.Second); err != nil {
				t.Error(err)
			}
		}
		if len(m.Run.Answer.Body) < o.Size {
			t.Errorf("%d: %d bytes of %+v", i, len(m.Run.Answer.Body), m.Run)
		}
	}
	if open < least {
		t.Errorf("%d of %d were left to be asked for", open, n)
	}
}

// A batch whose worker dies is taken over by another, and no document runs twice.
func TestTogetherSurvivesAWorker(t *testing.T) {
	t.Parallel()
	f := newTogether(t, served)
	var twins []rollout.Twin
	for i := range 20 {
		twins = append(twins, plain(fmt.Sprint("kept", i), order{}))
	}
	done := make(chan []rollout.Mirrored)
	go func() { done <- f.shadows.Together(t.Context(), "Plain", twins, 4*time.Second) }()
	for f.ran("kept3") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	f.stop()
	ran := 0
	for i := range twins {
		ran += f.ran(fmt.Sprint("kept", i))
	}
	if ran < 3 || ran > 15 {
		t.Errorf("the worker was stopped after %d of 20", ran)
	}
	f.shadowWork(t, declaring(served))
	for i, m := range <-done {
		if n := f.ran(fmt.Sprint("kept", i)); m.Err != nil || m.Run.State != rollout.RunCompleted || n != 1 {
			t.Errorf("%d ran %d times: %+v", i, n, m)
		}
	}
	if n := f.started.of("Plain"); n != 0 {
		t.Errorf("the gateway started %d itself", n)
	}
}

// Large documents travel apart, and do not wait for each other.
func TestTogetherOfLargeOnesThatTakeLong(t *testing.T) {
	t.Parallel()
	f := newTogether(t, served)
	var twins []rollout.Twin
	for i := range 16 {
		twins = append(twins, plain(fmt.Sprint("long", i), order{Pad: strings.Repeat("x", 200<<10), Sleep: 5 * time.Second}))
	}
	for i, m := range f.shadows.Together(t.Context(), "Plain", twins, time.Second) {
		if m.Err != nil || m.Run.State != rollout.RunRunning {
			t.Errorf("%d: %+v", i, m)
		}
	}
}

// A batch that waited for a worker for too long begins nothing: mirroring may have been
// switched off meanwhile.
func TestTogetherTooLate(t *testing.T) {
	t.Parallel()
	f := newTogether(t, served)
	f.stop()
	done := make(chan []rollout.Mirrored)
	go func() {
		done <- f.shadows.Together(t.Context(), "Plain", []rollout.Twin{plain("one", order{}), plain("two", order{})}, 0)
	}()
	time.Sleep(11 * time.Second)
	f.shadowWork(t, declaring(served))
	for i, m := range <-done {
		if !errors.Is(m.Err, rollout.ErrNotAccepted) {
			t.Errorf("%d: %+v", i, m)
		}
	}
	if n := f.ran("one") + f.ran("two"); n != 0 {
		t.Errorf("%d ran", n)
	}
}
