package ingestion_test

import (
	"context"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// A version whose start was held back is written over one that was started after
// it and ran before it. The signal that released it does nothing else.
func TestVersionThatWasHeldBackIsTheLast(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.work(t, "queue", p.config())
	earlier, later := document("doc", "earlier", prose), document("doc", "later", prose)
	later.Delayed = true
	options := client.StartWorkflowOptions{ID: "sluice/doc/later/1", TaskQueue: "queue", StartDelay: time.Hour,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}
	if _, err := p.client.ExecuteWorkflow(t.Context(), options, ingestion.WorkflowType, later); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ingest(t, "queue", earlier); err != nil {
		t.Fatal(err)
	}
	if _, err := p.client.SignalWithStartWorkflow(t.Context(), options.ID, wire.BeginSignal, nil, options, "nothing", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := p.closed(t, later); err != nil {
		t.Fatal(err)
	}
	for _, kind := range stores.Kinds() {
		if rec, err := p.real[kind].Get(context.Background(), "doc"); err != nil || rec.Intent != "later" {
			t.Errorf("%s holds %q, %v", kind, rec.Intent, err)
		}
	}
	history := &historypb.History{}
	events := p.client.GetWorkflowHistory(t.Context(), options.ID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		history.Events = append(history.Events, event)
	}
	if err := replayer().ReplayWorkflowHistory(silent{}, history); err != nil {
		t.Errorf("it does not replay: %v", err)
	}
}
