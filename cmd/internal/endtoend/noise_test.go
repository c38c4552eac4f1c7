package endtoend_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/rollout/compare/certificate"
	"sluice/rollout/compare/noise"
	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

// reply is what both paths answer. Of its fields, trace is another one in each run, and
// cached differs by itself in three runs of ten.
type reply struct {
	DocID  string `json:"doc_id"`
	Trace  string `json:"trace"`
	Cached bool   `json:"cached"`
	Sum    string `json:"sum"`
	Pages  int    `json:"pages"`
}

func replyTo(docID, run string) reply {
	return reply{DocID: docID, Trace: run, Cached: hit(run, "cached", 300), Sum: "sum of " + docID, Pages: 3}
}

// noisyLegacy answers as the workflow does, but that sum is wrong for a fiftieth, and
// pages for a tenth of the documents, once that is switched on.
func noisyLegacy(t *testing.T, wrong *atomic.Bool) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var document struct {
			DocID string `json:"doc_id"`
		}
		if err := json.NewDecoder(r.Body).Decode(&document); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer := replyTo(document.DocID, rand.Text())
		if wrong.Load() && hit(document.DocID, "sum", 20) {
			answer.Sum = "another"
		}
		if wrong.Load() && hit(document.DocID, "pages", 100) {
			answer.Pages = 4
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // to a client that waits for it
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// workNoisily polls the shadow task queue with a workflow that is as noisy.
func (s *stack) workNoisily(t *testing.T) {
	t.Helper()
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	route := s.config.Routes[0].Workflow
	w := worker.New(c, route.ShadowTaskQueue, worker.Options{})
	w.RegisterWorkflowWithOptions(func(workflow.Context) (wire.Support, error) {
		return wire.Support{Types: []string{route.Type}}, nil
	}, workflow.RegisterOptions{Name: wire.ShadowSupport})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context, in wire.Input) (reply, error) {
		return replyTo(in.DocID, workflow.GetInfo(ctx).WorkflowExecution.RunID), nil
	}, workflow.RegisterOptions{Name: route.Type})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

// Answers are noisy all the time. While nothing is wrong, the certificate proves that
// nothing is; then the planted differences are found, each with its rate, and no noise
// is called one.
func TestPlantedAmongNoise(t *testing.T) {
	t.Parallel()
	const quiet = 320
	documents := *mirrorDocuments
	var wrong atomic.Bool
	s := assemble(t, "")
	s.gateway = s.openGateway(t, "data="+s.dir+"/mirroring", "legacy.url="+noisyLegacy(t, &wrong), "shadow.pairs=40", "shadow.queue=5000")
	s.workNoisily(t)
	s.setShadow(t, 100)
	eventually(t, "the workers declare that they can", func() bool {
		return strings.Contains(s.metrics(t), `rollout_shadow_ready{route="documents"} 1`)
	})
	report := s.postMirrored(t, "quiet-", quiet)
	if line := report.Certificate.Lines[0]; line.Proof != certificate.Proved || line.N != quiet || line.K != 0 {
		t.Errorf("nothing but noise: %+v, %+v", line, report.Routes["documents"].Fields)
	}
	wrong.Store(true)
	report = s.postMirrored(t, "planted-", documents)
	planted, bad := map[string]uint64{}, uint64(0)
	for i := range documents {
		id := fmt.Sprint("planted-", i)
		sum, pages := hit(id, "sum", 20), hit(id, "pages", 100)
		if sum {
			planted["/sum"]++
		}
		if pages {
			planted["/pages"]++
		}
		if sum || pages {
			bad++
		}
	}
	for _, f := range report.Routes["documents"].Fields {
		t.Logf("%s is %s: %+v, among pairs on Temporal %+v, excess %.2f %% (%.2f to %.2f)",
			f.Field, f.Verdict, f.AB, f.AA, 100*f.Excess, 100*f.Low, 100*f.High)
		count, found := planted[f.Field]
		delete(planted, f.Field)
		if found && (!f.Verdict.Counts() || f.AB.Differed != count) || !found && f.Verdict != noise.Noise {
			t.Errorf("%s is %s, %d of %d planted are found", f.Field, f.Verdict, f.AB.Differed, count)
		}
		if documents >= 1000 && found && (f.Verdict != noise.Mismatch || f.Low <= 0) {
			t.Errorf("%s is %s, from %v to %v, though it can be told from noise", f.Field, f.Verdict, f.Low, f.High)
		}
	}
	line := report.Certificate.Lines[0]
	t.Logf("%d documents, %s: %s", quiet+documents, line.Proof, line.Words)
	if len(planted) > 0 || line.N != uint64(quiet+documents) || line.K != bad || line.Proof == certificate.Proved {
		t.Errorf("%d of them planted, not found: %v; %+v", bad, planted, line)
	}
}
