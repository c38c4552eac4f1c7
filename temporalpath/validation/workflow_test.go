package validation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/temporaltest"
	"sluice/temporalpath/validation"
)

// world is all that a worker needs but for Temporal. Shares are JSON arrays of the
// doc_ids that were counted.
type world struct {
	mu      sync.Mutex
	calls   map[string]int // of legacy, guarded by mu
	shadows map[string]int // by workflow ID, guarded by mu
	// hang makes the shadow run of a document wait for ctx, until it is nil.
	hang    func(docID string) bool // guarded by mu
	hanging chan struct{}
	release chan struct{} // lets all that hang go on, as if they had completed
	away    int           // so many calls of legacy fail; guarded by mu
}

func (w *world) Request(_ context.Context, line []byte) (*validation.Request, *rollout.Document, error) {
	return &validation.Request{Method: "POST", Path: "/" + string(line)}, &rollout.Document{Route: "r", DocID: string(line)}, nil
}

func (w *world) Call(_ context.Context, request *validation.Request) (rollout.Answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away > 0 {
		w.away--
		return rollout.Answer{}, validation.ErrAway
	}
	w.calls[request.Path[1:]]++
	if request.Path == "/stranger" {
		return rollout.Answer{Status: 401}, nil
	}
	return rollout.Answer{Status: 200}, nil
}

func (w *world) Shadow(ctx context.Context, doc *rollout.Document, _ string, _ time.Duration) (rollout.Run, error) {
	id := rollout.WorkflowIDs{Prefix: "p"}.OfShadow(doc.DocID, doc.Intent, "a")
	w.mu.Lock()
	w.shadows[id]++
	again, hang := w.shadows[id] > 1, w.hang != nil && w.hang(doc.DocID)
	w.mu.Unlock()
	if again {
		return rollout.Run{}, rollout.ErrDuplicate
	}
	if hang {
		w.hanging <- struct{}{}
		select {
		case <-ctx.Done():
			return rollout.Run{WorkflowID: id, State: rollout.RunRunning}, nil
		case <-w.release:
		}
	}
	return rollout.Run{WorkflowID: id, State: rollout.RunCompleted}, nil
}

func (w *world) Shadowed(context.Context, *rollout.Document, string, time.Duration) (rollout.Run, time.Duration, error) {
	return rollout.Run{State: rollout.RunCompleted}, time.Second, nil
}

func (w *world) Oversize(doc *rollout.Document) bool { return strings.HasPrefix(doc.DocID, "big") }

type lists struct{}

func (lists) Sum(a, b json.RawMessage) (json.RawMessage, error) {
	var all, more []string
	_ = json.Unmarshal(a, &all)
	err := json.Unmarshal(b, &more)
	text, _ := json.Marshal(append(all, more...))
	return text, err
}

func (l lists) Compared(share json.RawMessage, e *rollout.Exchange) (json.RawMessage, error) {
	return l.Sum(share, fmt.Appendf(nil, "[%q]", e.DocID))
}

func (l lists) Dropped(share json.RawMessage, _ string, reason rollout.DropReason) (json.RawMessage, error) {
	return l.Sum(share, fmt.Appendf(nil, "[%q]", "dropped "+reason.String()))
}

// stage is a Temporal server, a file of lines and the world.
type stage struct {
	*world
	server *temporaltest.Server
	client client.Client
	lines  *validation.Lines
	id     string
	log    bytes.Buffer // what the SDK logs as an error; to be read when the worker has stopped
}

func newStage(t *testing.T, text string) *stage {
	t.Helper()
	s := &stage{server: temporaltest.Start(t), id: validation.IDOf("test"),
		world: &world{calls: map[string]int{}, shadows: map[string]int{}, hanging: make(chan struct{}, 100), release: make(chan struct{})}}
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default",
		Logger: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	lines, err := validation.OpenLines(write(t, text), 100)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lines.Close() })
	s.client, s.lines = c, lines
	return s
}

func (s *stage) work(t *testing.T) (stop func()) {
	t.Helper()
	w := worker.New(s.client, s.id, worker.Options{WorkerStopTimeout: 5 * time.Second, MaxHeartbeatThrottleInterval: validation.HeartbeatInterval})
	validation.Register(w, validation.Config{
		Lines: s.lines, Mode: "m", Books: lists{}, Requests: s, Legacy: s, Temporal: s, Patience: time.Minute,
		Ready: func(string) (bool, string) { return true, "" }, Pairs: func(string) bool { return false }, Waits: func(error) {},
	})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	return w.Stop
}

func (s *stage) start(t *testing.T, batch int) client.WorkflowRun {
	t.Helper()
	run, err := s.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: s.id, TaskQueue: s.id}, validation.WorkflowType,
		validation.Input{SHA256: s.lines.SHA256(), Lines: s.lines.Len(), Batch: batch, Parallel: 8, Mode: "m"})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// More batches than one run of the workflow takes: each line is counted once, and the
// histories replay.
func TestContinuesAsNew(t *testing.T) {
	t.Parallel()
	const lines = 206
	var text strings.Builder
	for i := range lines {
		fmt.Fprintln(&text, "line", i)
	}
	text.WriteString("big\nstranger\n")
	s := newStage(t, text.String())
	defer s.work(t)()
	run := s.start(t, 1)
	first := run.GetRunID()
	var counted []string
	if err := run.Get(t.Context(), &counted); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, id := range counted {
		seen[id]++
	}
	if len(counted) != lines+2 || len(seen) != lines+2 || seen["dropped too-large"] != 1 || seen["dropped client"] != 1 ||
		len(s.calls) != lines+1 || len(s.shadows) != lines {
		t.Errorf("%d counted, %d of them different, %d calls, %d shadow runs", len(counted), len(seen), len(s.calls), len(s.shadows))
	}
	described, err := s.client.DescribeWorkflowExecution(t.Context(), s.id, "")
	if err != nil || described.GetWorkflowExecutionInfo().GetExecution().GetRunId() == first {
		t.Errorf("it did not continue as new: %v", err)
	}
	for _, id := range []string{first, ""} {
		replayer := worker.NewWorkflowReplayer()
		validation.RegisterWorkflow(replayer, lists{})
		if id == "" {
			id = described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
		}
		if err := replayer.ReplayWorkflowExecution(t.Context(), s.client.WorkflowService(), nil, "default", workflow.Execution{ID: s.id, RunID: id}); err != nil {
			t.Error(err)
		}
	}
}

// A worker that stops in the middle of a batch hands on what it has counted, and what
// legacy has answered: legacy is not called twice.
func TestStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a\nb\nc\nd\n")
	s.hang = func(id string) bool { return id == "c" }
	stop := s.work(t)
	run := s.start(t, 4)
	<-s.hanging
	value, err := s.client.QueryWorkflow(t.Context(), s.id, "", validation.ProgressQuery)
	var p validation.Progress
	if err != nil || value.Get(&p) != nil || p != (validation.Progress{Done: 0, Total: 4, Running: 4}) {
		t.Errorf("%+v, %v", p, err)
	}
	stop()
	if s.log.Len() > 0 {
		t.Errorf("a stop is logged as an error: %s", s.log.String())
	}
	s.mu.Lock()
	s.hang = nil
	s.mu.Unlock()
	defer s.work(t)()
	var counted []string
	if err := run.Get(t.Context(), &counted); err != nil || fmt.Sprint(counted) != "[a b c d]" {
		t.Errorf("%v, %v", counted, err)
	}
	for id, n := range s.calls {
		if n != 1 {
			t.Errorf("legacy was called %d times for %s", n, id)
		}
	}
}

// That legacy is away for a while is told to who waits, and is no error of the program's.
func TestWaitsWithoutAnError(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a\nb\n")
	s.away = 2
	stop := s.work(t)
	var counted []string
	if err := s.start(t, 2).Get(t.Context(), &counted); err != nil || fmt.Sprint(counted) != "[a b]" {
		t.Errorf("%v, %v", counted, err)
	}
	if stop(); s.log.Len() > 0 {
		t.Errorf("it is logged: %s", s.log.String())
	}
}

// A Temporal that takes seconds for a heartbeat calls no batch off.
func TestSlowHeartbeatsAreEndured(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a\n")
	s.hang = func(string) bool { return true }
	defer s.work(t)()
	run := s.start(t, 1)
	<-s.hanging
	s.server.Freeze()
	time.Sleep(3 * time.Second) // a batch shows every two seconds that it is alive
	s.server.Thaw()
	close(s.release)
	var counted []string
	if err := run.Get(t.Context(), &counted); err != nil || fmt.Sprint(counted) != "[a]" {
		t.Errorf("%v, %v", counted, err)
	}
	for id, n := range s.shadows {
		if n != 1 {
			t.Errorf("%s was run %d times: its batch was called off", id, n)
		}
	}
}

// A worker with another file refuses, and so ends the validation.
func TestRefusesAnotherFile(t *testing.T) {
	t.Parallel()
	s := newStage(t, "a\nb\n")
	defer s.work(t)()
	run, err := s.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: s.id, TaskQueue: s.id}, validation.WorkflowType,
		validation.Input{SHA256: "another", Lines: 2, Batch: 1, Parallel: 2, Mode: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Get(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "not that of the validation") || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if len(s.calls) != 0 {
		t.Error("legacy was called")
	}
}
