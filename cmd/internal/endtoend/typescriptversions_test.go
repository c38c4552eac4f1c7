package endtoend_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// running returns the ID of a document's workflow, as soon as it runs.
func (ts *typescript) running(t *testing.T, docID string) string {
	t.Helper()
	var ids []string
	eventually(t, "the document's workflow runs", func() bool {
		ids = ts.listed(t, fmt.Sprintf(`WorkflowId STARTS_WITH "ingest//%s/" AND ExecutionStatus = "Running"`, docID))
		return len(ids) > 0
	})
	return ids[0]
}

// listed returns the IDs of the workflows that Temporal's visibility finds.
func (ts *typescript) listed(t *testing.T, query string) (ids []string) {
	t.Helper()
	var page []byte
	for {
		found, err := ts.temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query, NextPageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, execution := range found.Executions {
			ids = append(ids, execution.Execution.WorkflowId)
		}
		if page = found.NextPageToken; len(page) == 0 {
			return ids
		}
	}
}

// polls says what is against making the build current: Temporal has heard of it on both
// task queues only when its workers have polled them.
func (ts *typescript) polls(ctx context.Context, build string) error {
	handle := ts.temporal.WorkerDeploymentClient().GetHandle("typescript")
	version, err := handle.DescribeVersion(ctx, client.WorkerDeploymentDescribeVersionOptions{BuildID: build})
	if err != nil {
		return err
	}
	workflows := map[string]bool{}
	for _, queue := range version.Info.TaskQueuesInfos {
		workflows[queue.Name] = workflows[queue.Name] || queue.Type == client.TaskQueueTypeWorkflow
	}
	if !workflows["ts"] || !workflows["ts-shadow"] {
		return errors.New("not all task queues are polled")
	}
	return nil
}

// twoVersions: while documents flow, a second version becomes current. Each document is
// ingested once, by one of the two.
func (ts *typescript) twoVersions(t *testing.T) {
	ts.work(t, "v2", ts.polls)
	const clients = 4
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		by    = map[string]int{}
		count atomic.Int64
		done  atomic.Bool
	)
	for n := range clients {
		group.Go(func() {
			for i := 0; !done.Load() && !t.Failed(); i++ {
				id := fmt.Sprintf("flowing-%d-%d", n, i)
				a := ts.send(t, http.MethodPost, "/invoices", fmt.Sprintf(`{"doc_id": %q, "total": 1}`, id))
				var body struct{ Build string }
				if err := json.Unmarshal(a.body, &body); err != nil || a.status != http.StatusCreated || a.path() != "temporal" {
					t.Errorf("%s: %v", id, a)
				}
				if stored(t, ts.store, "", id) == nil {
					t.Errorf("%s is lost", id)
				}
				mu.Lock()
				by[body.Build]++
				mu.Unlock()
				count.Add(1)
			}
		})
	}
	flow := func(documents int64) {
		until := count.Load() + documents
		eventually(t, "documents flow", func() bool { return count.Load() >= until || t.Failed() })
	}
	flow(20)
	if err := ts.makeCurrent(t.Context(), "typescript", "v2"); err != nil {
		t.Error(err)
	}
	flow(40)
	done.Store(true)
	group.Wait()
	if by["v1"] < 20 || by["v2"] == 0 || by["v1"]+by["v2"] != int(count.Load()) {
		t.Errorf("documents by version: %v", by)
	}
	ts.declares(t, "ts", "v2", "IngestInvoice", "IngestScan", "Trial", "TrialByClose")
	var runs []string
	eventually(t, "all runs are listed", func() bool {
		runs = ts.listed(t, `WorkflowId STARTS_WITH "ingest//flowing-"`)
		return int64(len(runs)) >= count.Load()
	})
	if int64(len(runs)) != count.Load() {
		t.Errorf("%d documents were ingested by %d runs", count.Load(), len(runs))
	}
}
