package endtoend_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"sluice/rollout"
	"sluice/temporalpath"
	"sluice/temporalpath/ingestion/stores"
)

// execution is when a workflow began to work and when it ended, as its history
// has it.
type execution struct {
	id           string
	begun, ended time.Time
	status       string
}

// executions lists the runs of a document that have ended, in the order in which
// they began to work.
func (s *stack) executions(t *testing.T, c client.Client, docID string) (all []execution) {
	t.Helper()
	path, err := temporalpath.New(temporalpath.Config{
		Service: c.WorkflowService(), Namespace: "default", IDs: s.config.Temporal.IDs(),
		StartTimeout: time.Second, MaxWaiters: 1, MaxInput: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = path.Recent(t.Context(), time.Now().Add(-time.Hour), func(life temporalpath.Life) error {
		if id, _, _, ours := s.config.Temporal.IDs().Parse(life.WorkflowID, life.Document); ours && id == docID && !life.Running {
			all = append(all, s.execution(t, c, life.WorkflowID))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b execution) int { return cmp.Compare(a.begun.UnixNano(), b.begun.UnixNano()) })
	return all
}

func (s *stack) execution(t *testing.T, c client.Client, id string) execution {
	t.Helper()
	e := execution{id: id}
	events := c.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.begun.IsZero() && event.EventType == enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
			e.begun = event.EventTime.AsTime()
		}
		e.ended, e.status = event.EventTime.AsTime(), event.EventType.String()
	}
	return e
}

// A later version whose client does not wait is answered 202 and is on Temporal
// then. It runs once, after the one before it has ended, although the gateway dies
// in between.
func TestLaterVersionIsTakenAtOnceAndRunsInItsTurn(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.setFlags(t, 100, false)
	s.setFaults(t, s.worker.Address(), `{"latency":"6s"}`)
	settings := append(s.settings, "data="+s.dir+"/killed")
	address, kill := spawnGateway(t, settings)
	body := func(version int) []byte { return fmt.Appendf(nil, `{"doc_id":"hot","text":"version %d"}`, version) }
	var locations []string
	var intents []string
	for version, prefer := range []string{"wait=0", "wait=0", "wait=1"} {
		intents = append(intents, fmt.Sprint("key-", version))
		a, err := s.postTo(t.Context(), address, body(version), "Prefer", prefer, "Idempotency-Key", intents[version])
		if err != nil || a.status != http.StatusAccepted || a.path() != "temporal" || a.header.Get("Retry-After") == "" {
			t.Fatalf("version %d: %v, %v", version, a, err)
		}
		locations = append(locations, a.header.Get("Location"))
	}
	kill()
	address, _ = spawnGateway(t, settings)
	for version, location := range locations[1:] {
		if state := s.runState(t, "http://"+address+location); state.Status != "running" {
			t.Errorf("version %d, after the restart: %+v", version+1, state)
		}
	}
	// A retry of what waits on Temporal joins it, and must not make it begin.
	a, err := s.postTo(t.Context(), address, body(1), "Prefer", "wait=1", "Idempotency-Key", intents[1])
	if err != nil || a.status != http.StatusAccepted || a.header.Get("Location") != locations[1] {
		t.Errorf("a retry: %v, %v", a, err)
	}
	s.setFaults(t, s.worker.Address(), `{"latency":"1s"}`)
	eventually(t, "the last version is ingested", func() bool {
		return s.runState(t, "http://"+address+locations[2]).Status == "completed"
	})
	s.wantInTurn(t, "hot", intents)
}

// wantInTurn checks that the keys' versions of a document, and nothing else, ran
// one after the other, each once.
func (s *stack) wantInTurn(t *testing.T, docID string, keys []string) {
	t.Helper()
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all []execution
	eventually(t, "all runs are listed", func() bool {
		all = s.executions(t, c, docID)
		return len(all) >= len(keys)
	})
	if len(all) != len(keys) {
		t.Fatalf("runs %+v", all)
	}
	for i, e := range all {
		_, intent, _, _ := s.config.Temporal.IDs().Parse(e.id, "")
		if want := rollout.KeyedIntent("documents", "", docID, keys[i]); intent != want || e.status != "WorkflowExecutionCompleted" {
			t.Errorf("place %d: %+v, want %s", i, e, want)
		}
		if i > 0 && !e.begun.After(all[i-1].ended) {
			t.Errorf("%s began at %v, the one before it ended at %v", e.id, e.begun, all[i-1].ended)
		}
		if i > 0 {
			t.Logf("place %d began %v after the one before it", i, e.begun.Sub(all[i-1].ended))
		}
	}
	last := rollout.KeyedIntent("documents", "", docID, keys[len(keys)-1])
	for _, kind := range stores.Kinds() {
		if record, err := s.stores[kind].Get(context.Background(), docID); err != nil || record.Intent != string(last) {
			t.Errorf("%s holds %q, %v", kind, record.Intent, err)
		}
	}
}
