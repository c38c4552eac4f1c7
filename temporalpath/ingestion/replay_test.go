package ingestion_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// The histories in testdata are of real runs. Running workflows have histories
// like them: a change of the workflow that cannot replay one would break these
// in flight, so give it a new build ID and let the old build drain, or use
// workflow.GetVersion. Only then record anew, and keep the old files under
// another name as long as such runs may be open:
//
//	go test ./temporalpath/ingestion -run TestRecordedShapes -record
var record = flag.Bool("record", false, "record the histories in testdata anew")

// shapes are the ways through the workflow, one history each.
var shapes = []struct {
	name string
	run  func(t *testing.T, p *place) wire.Input
}{
	{"ingested", func(t *testing.T, p *place) wire.Input {
		p.work(t, "queue", p.config())
		return document("doc", "a", prose)
	}},
	{"invalid", func(t *testing.T, p *place) wire.Input {
		p.work(t, "queue", p.config())
		return document("doc", "a", "[]")
	}},
	{"compensated", func(t *testing.T, p *place) wire.Input {
		p.work(t, "queue", hooked(p.config(), &diary{}, fail(stores.Cache, "put", errDown), nil))
		return document("doc", "a", prose)
	}},
	{"deadletter", func(t *testing.T, p *place) wire.Input {
		p.work(t, "queue", poisoned(p, &diary{}))
		return document("doc", "a", prose)
	}},
	{"retried", func(t *testing.T, p *place) wire.Input {
		// Waits beyond half a workflow task are timers in the history.
		calls, config := 0, p.config()
		config.Policy.FirstWait, config.Policy.MaxWait = 3*time.Second, 3*time.Second
		p.work(t, "queue", hooked(config, &diary{}, func(kind stores.Kind, _ string, _ stores.Ref) error {
			if kind == stores.Graph && calls == 0 {
				calls++
				return errDown
			}
			return nil
		}, nil))
		return document("doc", "a", prose)
	}},
}

func historyFile(name string) string { return filepath.Join("testdata", "history-"+name+".json") }

// TestRecordedShapes runs each shape on a real server, replays what came of it,
// and with -record keeps it.
func TestRecordedShapes(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			p := settle(t)
			in := shape.run(t, p)
			_, answered := p.ingest(t, "queue", in)
			p.closed(t, in)
			t.Logf("answered: %v", answered)
			history := p.history(t)
			if err := replayer().ReplayWorkflowHistory(silent{}, history); err != nil {
				t.Errorf("what was just run does not replay: %v", err)
			}
			if *record {
				keep(t, historyFile(shape.name), history)
			}
		})
	}
}

func (p *place) history(t *testing.T) *historypb.History {
	t.Helper()
	history := &historypb.History{}
	events := p.client.GetWorkflowHistory(t.Context(), "sluice/doc/a/1", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	return history
}

func keep(t *testing.T, file string, history *historypb.History) {
	t.Helper()
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: "  "}.Marshal(history)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func replayer() worker.WorkflowReplayer {
	r := worker.NewWorkflowReplayer()
	ingestion.RegisterWorkflow(r, quick)
	return r
}

func TestReplayOfStoredHistories(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			if err := replayer().ReplayWorkflowHistoryFromJSONFile(silent{}, historyFile(shape.name)); err != nil {
				t.Error(err)
			}
		})
	}
}

// A policy is no part of what must be the same: see its comment.
func TestReplayWithAnotherPolicy(t *testing.T) {
	for _, shape := range shapes {
		r := worker.NewWorkflowReplayer()
		ingestion.RegisterWorkflow(r, ingestion.Policy{Attempts: 1, UndoGiveUp: time.Minute, FirstWait: time.Second})
		if err := r.ReplayWorkflowHistoryFromJSONFile(silent{}, historyFile(shape.name)); err != nil {
			t.Errorf("%s: %v", shape.name, err)
		}
	}
}

// A workflow that does the same things in another order must not pass.
func TestReplayRefusesAnotherOrder(t *testing.T) {
	r := worker.NewWorkflowReplayer()
	r.RegisterWorkflowWithOptions(func(ctx workflow.Context, in wire.Input) (result ingestion.Result, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Second})
		for _, step := range []string{"StoreVectors", "CheckDocument"} {
			if err := workflow.ExecuteActivity(ctx, step, in, result).Get(ctx, &result); err != nil {
				return result, err
			}
		}
		return result, nil
	}, workflow.RegisterOptions{Name: ingestion.WorkflowType})
	if err := r.ReplayWorkflowHistoryFromJSONFile(silent{}, historyFile("ingested")); err == nil {
		t.Error("the replay let another order pass")
	}
}
