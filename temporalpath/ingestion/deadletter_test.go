package ingestion_test

import (
	"slices"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
)

// poisoned is a place whose graph store takes nothing and whose vector store
// cannot undo.
func poisoned(p *place, d *diary) ingestion.Config {
	config := hooked(p.config(), d, func(kind stores.Kind, op string, _ stores.Ref) error {
		if kind == stores.Graph && op == "put" || kind == stores.Vector && op == "undo" {
			return errDown
		}
		return nil
	}, nil)
	config.Policy.UndoGiveUp = 300 * time.Millisecond
	return config
}

func TestDeadLetterIsFoundBySearchAndTellsWhatIsLeft(t *testing.T) {
	p := settle(t)
	d, in := &diary{}, document("doc", "a", prose)
	p.work(t, "queue", poisoned(p, d))
	_, err := p.ingest(t, "queue", in)
	failure := failureOf(t, err)
	want := []ingestion.NotUndone{{Store: "vector", Reason: errDown.Error()}}
	if failure.Type != ingestion.TypeDeadLetter || failure.Step != "graph" || !slices.Equal(failure.NotUndone, want) {
		t.Errorf("failure %+v", failure)
	}
	if got := counts(t, p.real); got != [4]int{0, 1, 0, 0} {
		t.Errorf("stores hold %v documents; only the vector store should", got)
	}
	calls := d.all()
	if last := calls[len(calls)-1]; last != "dead letter at graph" {
		t.Errorf("the last thing observed is %q", last)
	}
	if failed := search(t, p, 1); failed[0] != "sluice/doc/a/1" {
		t.Errorf("search found %q", failed)
	}
}

// A shadow run that gives up has lost no document: nobody is alarmed.
func TestShadowIsNoDeadLetter(t *testing.T) {
	p := settle(t)
	d, in := &diary{}, document("doc", "a", prose)
	config := poisoned(p, d)
	config.Stores, config.Shadow = config.Shadow, config.Stores
	p.work(t, "queue", config)
	in.Shadow = true
	if _, err := p.ingest(t, "queue", in); failureOf(t, err).Type != ingestion.TypeDeadLetter {
		t.Errorf("it ended with %v", err)
	}
	if calls := d.all(); len(calls) == 0 || slices.Contains(calls, "dead letter at graph") {
		t.Errorf("observed %q", calls)
	}
}

// search lists the workflow IDs that operators find as failed, once there are n.
func search(t *testing.T, p *place, n int) (found []string) {
	t.Helper()
	for range 100 {
		found = nil
		list, err := p.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType='" + ingestion.WorkflowType + "' AND ExecutionStatus='Failed'",
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range list.Executions {
			found = append(found, run.Execution.WorkflowId)
		}
		if len(found) >= n {
			return found
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("search found %q, want %d", found, n)
	return nil
}

// A new life of the intent covers what the dead one left behind.
func TestNewLifeMendsADeadLetter(t *testing.T) {
	p := settle(t)
	in := document("doc", "a", prose)
	p.work(t, "sick", poisoned(p, &diary{}))
	p.work(t, "well", p.config())
	if _, err := p.ingest(t, "sick", in); failureOf(t, err).Type != ingestion.TypeDeadLetter {
		t.Fatal(err)
	}
	in.Life = 2
	if _, err := p.ingest(t, "well", in); err != nil {
		t.Fatal(err)
	}
	newest, err := p.real[stores.Document].Get(t.Context(), "doc")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.real[stores.Vector].Get(t.Context(), "doc"); err != nil || got.Ref != newest.Ref {
		t.Errorf("the vector store shows %+v, error %v; want %+v", got.Ref, err, newest.Ref)
	}
}

// An outage that outlasts the steps' attempts but not the undos' leaves no dead
// letter: undos are tried for as long as it takes.
func TestUndoOutlastsAnOutage(t *testing.T) {
	p := settle(t)
	d, tried := &diary{}, 0
	p.work(t, "queue", hooked(p.config(), d, func(kind stores.Kind, op string, _ stores.Ref) error {
		if kind == stores.Graph && op == "undo" {
			tried++ // one attempt at a time
			if tried > int(quick.Attempts) {
				return nil
			}
		}
		if kind == stores.Graph {
			return errDown
		}
		return nil
	}, nil))
	_, err := p.ingest(t, "queue", document("doc", "a", prose))
	if failure := failureOf(t, err); failure.Type != ingestion.TypeIngestionFailed {
		t.Errorf("failure %+v", failure)
	}
	if got := counts(t, p.real); got != [4]int{} {
		t.Errorf("stores hold %v documents", got)
	}
}
