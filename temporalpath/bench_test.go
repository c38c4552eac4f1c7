package temporalpath_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// BenchmarkRun runs the same workflow by this path and by the bare SDK, in turns
// on one server, and reports the first over the second.
func BenchmarkRun(b *testing.B) {
	f := newFixture(b, nil)
	f.work(b, f.client)
	var n atomic.Int64
	ways := map[string]func() error{
		"path": func() error {
			_, err := f.path.Run(context.Background(), document("Plain", fmt.Sprint("p", n.Add(1)), order{}), time.Minute)
			return err
		},
		"sdk": func() error {
			doc := document("Plain", fmt.Sprint("s", n.Add(1)), order{})
			run, err := f.client.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{
				ID: "bare/" + doc.DocID, TaskQueue: queue, WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
			}, "Plain", inputOf(doc))
			if err != nil {
				return err
			}
			return run.Get(context.Background(), nil)
		},
	}
	spent := map[string]time.Duration{}
	for b.Loop() {
		for name, run := range ways {
			began := time.Now()
			if err := run(); err != nil {
				b.Fatal(name, err)
			}
			spent[name] += time.Since(began)
		}
	}
	b.ReportMetric(float64(spent["path"])/float64(spent["sdk"]), "path/sdk")
	b.ReportMetric(float64(spent["path"].Microseconds())/float64(b.N), "us/path")
	b.ReportMetric(float64(spent["sdk"].Microseconds())/float64(b.N), "us/sdk")
}

// inputOf is what the path gives the workflow for the document.
func inputOf(doc *rollout.Document) wire.Input {
	in := wire.Input{DocID: doc.DocID, Intent: string(doc.Intent), Life: 1, Route: doc.Route, ContentType: doc.ContentType}
	in.SetBody(wire.FormAuto, doc.Body)
	return in
}
