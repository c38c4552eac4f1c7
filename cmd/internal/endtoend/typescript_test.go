package endtoend_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"sluice/cmd/internal/chaos/child"
	"sluice/temporalpath"
)

// typescriptTree holds the TypeScript worker, an npm project.
const typescriptTree = "../../../docs/workers/typescript"

// typescriptProgram returns the compiled worker that the tests run. It looks at every
// source, so that a result of these tests is not taken from Go's cache when one has
// changed.
func typescriptProgram(t testing.TB) string {
	t.Helper()
	const remedy = "run `make typescript`, or `make test`, which does so first"
	built, err := os.Stat(filepath.Join(typescriptTree, "lib", ".built"))
	if err != nil {
		t.Fatalf("the TypeScript worker is not compiled: %s", remedy)
	}
	newer := func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && !entry.IsDir() && info.ModTime().After(built.ModTime()) {
			t.Fatalf("the TypeScript worker is older than %s: %s", path, remedy)
		}
		return err
	}
	for _, source := range []string{"src", "package.json", "package-lock.json", "tsconfig.json"} {
		if err := filepath.WalkDir(filepath.Join(typescriptTree, source), newer); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(typescriptTree, "lib", "trial", "worker.js")
}

// The routes of the TypeScript worker: the doc_id in the body, in a field, in the path.
// invoices and trials are waited for by the update, the others by their close. The last
// two are the Go example's.
const typescriptRoutes = `routes=[
 {name: invoices, pattern: /invoices, doc_id: "body:/doc_id", auth: none,
  workflow: {type: IngestInvoice, task_queue: ts, shadow_task_queue: ts-shadow, result: update, status: 201, require_support: true},
  failures: {InvalidDocument: 422}},
 {name: scans, pattern: /scans, doc_id: "header:X-Document-Id", auth: none,
  workflow: {type: IngestScan, task_queue: ts, shadow_task_queue: ts-shadow, body: bytes, require_support: true}},
 {name: trials, method: PUT, pattern: "/trials/{id}/{section}", doc_id: "path:id", auth: none, headers: [x-priority],
  workflow: {type: Trial, task_queue: ts, shadow_task_queue: ts-shadow, result: update},
  failures: {Known: 409}},
 {name: endings, method: PUT, pattern: "/endings/{id}", doc_id: "path:id", auth: none,
  workflow: {type: TrialByClose, task_queue: ts, shadow_task_queue: ts-shadow, body: json},
  failures: {Known: 409}},
 {name: stuck, method: PUT, pattern: "/stuck/{id}", doc_id: "path:id", auth: none,
  workflow: {type: TrialByClose, task_queue: ts, execution_timeout: 5s}},
 {name: go-invoices, pattern: /go/invoices, doc_id: "body:/doc_id", auth: none,
  workflow: {type: IngestInvoice, task_queue: go, result: update, require_support: true}, failures: {InvalidDocument: 422}},
 {name: go-scans, pattern: /go/scans, doc_id: "header:X-Document-Id", auth: none,
  workflow: {type: IngestScan, task_queue: go}}]`

// typescript is a stack whose workers are written in TypeScript, in processes of their
// own.
type typescript struct {
	*stack
	program  string
	temporal client.Client
	payloads string // the claim check's directory
	store    string // what real runs write to
	shadows  string // what shadow runs write to
}

func openTypeScript(t *testing.T) *typescript {
	t.Helper()
	ts := &typescript{program: typescriptProgram(t), payloads: filepath.Join(t.TempDir(), "payloads")}
	legacy := httptest.NewServer(http.HandlerFunc(answerTrial))
	t.Cleanup(legacy.Close)
	settings := []string{
		"legacy.url=" + legacy.URL, typescriptRoutes, "requests.tenant_header=X-Tenant", "shadow.pairs=50", "temporal.wait=55s", "temporal.start_timeout=20s",
		"temporal.claim_check.store=directory", "temporal.claim_check.directory=" + ts.payloads,
	}
	for _, planted := range []string{"mismatch", "error_ratio", "error_rate", "dead_letter"} { // and not to be rolled back for
		settings = append(settings, "guardrails.limits."+planted+".action=warn")
	}
	ts.stack = assemble(t, "", settings...)
	ts.store, ts.shadows = filepath.Join(ts.dir, "real"), filepath.Join(ts.dir, "shadows")
	var err error
	if ts.temporal, err = temporalpath.Dial(temporalpath.Dialing{Address: ts.server.Frontend, Namespace: "default"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ts.temporal.Close)
	ts.work(t, "v1", func(ctx context.Context, build string) error { return ts.makeCurrent(ctx, "typescript", build) })
	return ts
}

// work runs a worker process of the build until the test ends, and waits until ready
// says nothing against it.
func (ts *typescript) work(t *testing.T, build string, ready func(ctx context.Context, build string) error) {
	t.Helper()
	log := filepath.Join(ts.dir, "worker-"+build+".log")
	worker := child.New(child.Config{
		Name: "the TypeScript worker " + build, Program: "node", Args: []string{ts.program}, LogFile: log,
		Env: []string{
			"TEMPORAL_ADDRESS=" + ts.server.Frontend, "TASK_QUEUE=ts", "SHADOW_TASK_QUEUE=ts-shadow", "DEPLOYMENT=typescript",
			"BUILD_ID=" + build, "STORE=" + ts.store, "SHADOW_STORE=" + ts.shadows, "PAYLOADS=" + ts.payloads,
		},
		Ready: func(ctx context.Context) error { return ready(ctx, build) },
	})
	t.Cleanup(func() {
		died := worker.Died()
		worker.Kill()
		if died != nil {
			t.Error(died)
		}
		if text, err := os.ReadFile(log); t.Failed() && err == nil {
			t.Logf("the log of worker %s ends with:\n%s", build, text[max(0, len(text)-8000):])
		}
	})
	if err := worker.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// makeCurrent tries once; Temporal refuses a build that nobody has polled for.
func (ts *typescript) makeCurrent(ctx context.Context, deployment, build string) error {
	handle := ts.temporal.WorkerDeploymentClient().GetHandle(deployment)
	_, err := handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
	return err
}

// declares waits until the gateway knows that the workers of a task queue serve the types.
func (ts *typescript) declares(t *testing.T, queue, build string, kinds ...string) {
	t.Helper()
	eventually(t, "the workers of "+queue+" declare what they can", func() bool {
		support := ts.workers(t).Queues[queue].Declared
		return support != nil && support.BuildID == build && slices.Equal(support.Types, kinds)
	})
}

// send sends a request to the gateway. Fields are pairs of name and value; a name that
// comes again adds a value.
func (ts *typescript) send(t *testing.T, method, target, body string, fields ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+ts.gateway.PublicAddress()+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if slices.Contains(fields, "Content-Type") {
		request.Header.Del("Content-Type")
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Add(fields[i], fields[i+1])
	}
	for {
		a, err := send(ts.client, request)
		if err != nil {
			t.Fatal(err)
		}
		// A Temporal that is hard at work takes longer than the gateway waits for it.
		if a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), "temporal-ambiguous") {
			return a
		}
		time.Sleep(time.Second)
		request.Body, _ = request.GetBody() // it is a string's
	}
}

// trial sends a document to the route trials that says how its run goes.
func (ts *typescript) trial(t *testing.T, docID, body string, fields ...string) answer {
	t.Helper()
	a := ts.send(t, http.MethodPut, "/trials/"+docID+"/all", body, fields...)
	if a.path() != "temporal" {
		t.Errorf("%s was not served by Temporal: %v", docID, a)
	}
	return a
}

// stored returns what a store holds of a document; nil is nothing.
func stored(t *testing.T, store, tenant, docID string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(tenant + "\x00" + docID))
	data, err := os.ReadFile(filepath.Join(store, hex.EncodeToString(sum[:])))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return data
}

// wantJSON checks that the answer has the status and the JSON value.
func (a answer) wantJSON(t *testing.T, status int, want string) {
	t.Helper()
	var got, wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != status || fmt.Sprint(got) != fmt.Sprint(wanted) {
		t.Errorf("got %v\nwant %d %s", a, status, want)
	}
}

// What teams that write their workers in TypeScript rely on, on the real stack: one
// gateway, one Temporal and one worker process, but for the second version.
func TestTypeScriptWorkers(t *testing.T) {
	t.Parallel()
	ts := openTypeScript(t)
	t.Run("mirrored", ts.mirrored)
	ts.rollTo(t, 100)
	ts.declares(t, "ts", "v1", "IngestInvoice", "IngestScan", "Trial", "TrialByClose")
	if support := ts.workers(t).Queues["ts"].Declared; !slices.Contains(support.ClaimCheck, "sluice.directory") || !slices.Contains(support.Updates, "Trial") {
		t.Errorf("the workers declare %+v", support)
	}
	t.Run("served", func(t *testing.T) {
		var group errgroup.Group
		group.SetLimit(4) // they wait more than they work
		for name, test := range map[string]func(t *testing.T){
			"three places of the doc_id": ts.threePlaces,
			"all that was asked":         ts.allThatWasAsked,
			"bodies":                     ts.bodies,
			"codings":                    ts.codings,
			"3 MiB":                      ts.large,
			"a dry run":                  ts.dryRun,
			"results":                    ts.results,
			"malformed answers":          ts.malformed,
			"answers that invite":        ts.inviting,
			"failures":                   ts.failures,
			"a plain error":              ts.plainError,
			"ended from outside":         ts.endedFromOutside,
			"activities are retried":     ts.retried,
			"an allow-listed field":      ts.allowListed,
			"workers in Go":              ts.inGo,
		} {
			group.Go(func() error { t.Run(name, test); return nil })
		}
		_ = group.Wait() // each fails by itself
	})
	t.Run("two versions", ts.twoVersions)
}
