package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/wire"
)

// workersView is what /api/workers answers.
type workersView struct {
	Queues map[string]struct {
		Pollers    int           `json:"pollers"`
		Declared   *wire.Support `json:"declared"`
		Undeclared string        `json:"undeclared"`
		Serving    struct {
			Current string `json:"current"`
		} `json:"serving"`
	} `json:"task_queues"`
	Lacks map[string]map[string]string `json:"lacks"`
}

func (s *stack) workers(t *testing.T) (view workersView) {
	t.Helper()
	a := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/workers")
	if err := json.Unmarshal(a.body, &view); err != nil {
		t.Fatalf("%v: %v", a, err)
	}
	return view
}

// declared reports whether the gateway knows what the workers declare.
func (s *stack) declared(t *testing.T) bool {
	t.Helper()
	return s.workers(t).Queues["ingestion"].Declared != nil
}

// lacks reports whether the gateway's metrics tell of the lack, or of none, as wanted.
func (s *stack) lacks(t *testing.T, lack string, want bool) bool {
	t.Helper()
	bit := map[bool]int{true: 1}[want]
	return strings.Contains(s.metrics(t), fmt.Sprintf(`gateway_workers_lacking{lack=%q,route="documents"} %d`, lack, bit))
}

// With require_support nothing is started before all workers have declared the type, and
// what they lack is told; then they get documents, of all sizes, as they have declared.
func TestNothingIsStartedForWorkersThatDeclareNothing(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "temporal.claim_check.store=directory", "temporal.claim_check.directory="+filepath.Join(t.TempDir(), "payloads"),
		"worker.deployment.build_id=b9",
		"routes=[{name: documents, method: POST, pattern: /v1/documents, doc_id: 'body:/doc_id', auth: none, workflow: "+
			"{type: IngestionWorkflow, task_queue: ingestion, shadow_task_queue: ingestion-shadow, result: update, require_support: true}}]")
	path, c := s.shadowPath(t)
	s.rollTo(t, 100)
	wants := func(id, body, path, reason string) {
		t.Helper()
		if a := s.mustPost(t, fmt.Sprintf(`{"doc_id":%q,"text":%q}`, id, body)); a.status != http.StatusOK || a.path() != path || a.header.Get("Rollout-Reason") != reason {
			t.Errorf("%s: %v", id, a)
		}
	}
	wants("nobody", "text", "legacy", "workers")
	eventually(t, "nobody polls", func() bool { return s.lacks(t, "pollers", true) })

	other := worker.New(c, "ingestion", worker.Options{Identity: "another team's"})
	other.RegisterWorkflowWithOptions(func(workflow.Context, wire.Input) (string, error) { return "", nil }, workflow.RegisterOptions{Name: "IngestionWorkflow"})
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Stop()
	eventually(t, "they do not know the question", func() bool { return s.lacks(t, "type", true) && s.lacks(t, "pollers", false) })
	wants("undeclared", "text", "legacy", "workers")
	if view := s.workers(t); !strings.Contains(view.Lacks["documents"]["claim_check"], "sluice.directory") || view.Queues["ingestion"].Undeclared == "" {
		t.Errorf("%+v", view)
	}

	s.work(t) // it makes its version current: no other gets new runs
	eventually(t, "they declare it", func() bool { return s.declared(t) && s.lacks(t, "type", false) && s.lacks(t, "claim_check", false) })
	wants("declared", "text", "temporal", "split")
	wants("large", strings.Repeat("A long text with many words. ", 100_000), "temporal", "split")
	view := s.workers(t).Queues["ingestion"]
	want := []string{"IngestionWorkflow"}
	if d := view.Declared; !slices.Equal(d.Types, want) || !slices.Equal(d.Updates, want) || !slices.Equal(d.ClaimCheck, []string{"sluice.directory"}) || d.BuildID != "b9" || view.Serving.Current != "b9" {
		t.Errorf("our worker declares %+v, serving %+v", d, view.Serving)
	}
	if got, err := path.ShadowSupport(t.Context(), "documents"); err != nil || !got.OK || !slices.Equal(got.ClaimCheck, []string{"sluice.directory"}) || !slices.Equal(got.Updates, want) {
		t.Errorf("on its shadow task queue: %+v, %v", got, err)
	}
}
