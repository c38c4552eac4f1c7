package temporalpath_test

import (
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestProbe(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	svc := f.client.WorkflowService()
	begin := func(id, typ string, delay, timeout time.Duration) *workflowservice.StartWorkflowExecutionRequest {
		r := &workflowservice.StartWorkflowExecutionRequest{
			Namespace: "default", WorkflowId: id, RequestId: id,
			WorkflowType: &commonpb.WorkflowType{Name: typ},
			TaskQueue:    &taskqueuepb.TaskQueue{Name: queue},
			Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")},
				Data: []byte(`{"doc_id":"` + id + `","body":{}}`)}}},
			WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		}
		if delay > 0 {
			r.WorkflowStartDelay = durationpb.New(delay)
		}
		if timeout > 0 {
			r.WorkflowExecutionTimeout = durationpb.New(timeout)
		}
		return r
	}
	release := func(id string) {
		resp, err := svc.SignalWithStartWorkflowExecution(t.Context(), &workflowservice.SignalWithStartWorkflowExecutionRequest{
			Namespace: "default", WorkflowId: id, RequestId: id + "#release", WorkflowType: &commonpb.WorkflowType{Name: "sluice.tombstone"},
			TaskQueue: &taskqueuepb.TaskQueue{Name: "sluice-tombstones"}, SignalName: "begin",
			WorkflowIdReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			WorkflowIdConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
			WorkflowExecutionTimeout: durationpb.New(time.Second),
		})
		t.Logf("release %s: %v %T %v", id, resp, err, err)
	}
	describe := func(id string) {
		d, err := svc.DescribeWorkflowExecution(t.Context(), &workflowservice.DescribeWorkflowExecutionRequest{Namespace: "default", Execution: &commonpb.WorkflowExecution{WorkflowId: id}})
		if err != nil {
			t.Log(id, err)
			return
		}
		i := d.WorkflowExecutionInfo
		t.Log(id, i.Type.Name, i.Status, "start", i.StartTime.AsTime().Format("15:04:05.000"), "exec", i.ExecutionTime.AsTime().Format("15:04:05.000"), "len", i.HistoryLength, "now", time.Now().UTC().Format("15:04:05.000"))
	}
	start := func(r *workflowservice.StartWorkflowExecutionRequest) {
		_, err := svc.StartWorkflowExecution(t.Context(), r)
		t.Log(r.WorkflowId, err)
	}
	start(begin("a", "Plain", time.Hour, 0))
	time.Sleep(500 * time.Millisecond)
	describe("a")
	began := time.Now()
	release("a")
	for f.ran("a") == 0 && time.Since(began) < 10*time.Second {
		time.Sleep(time.Millisecond)
	}
	t.Log("ran after", time.Since(began), f.ran("a"))
	time.Sleep(200 * time.Millisecond)
	describe("a")
	release("a")
	describe("a")
	it := f.client.GetWorkflowHistory(t.Context(), "a", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, _ := it.Next()
		t.Log(e.EventId, e.EventType)
	}
	release("none")
	describe("none")
	start(begin("idle", "Updated", time.Hour, 0))
	release("idle")
	release("idle")
	time.Sleep(time.Second)
	describe("idle")
	start(begin("w", "Plain", 6*time.Second, 8*time.Second))
	describe("w")
	for f.ran("w") == 0 && time.Since(began) < 20*time.Second {
		time.Sleep(time.Millisecond)
	}
	describe("w")
}
