package endtoend_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

// witness is both paths. Each answer that one of them gives has a token of its own,
// which it remembers, so that an answer that nobody gave can be told.
type witness struct {
	legacy *httptest.Server

	checkAway atomic.Bool // the authorisation check breaks its connections
	broken    atomic.Bool // legacy breaks its connections, before or in the answer

	mu    sync.Mutex
	given map[string]string // guarded by mu; the path that gave the token
	begun map[string]bool   // guarded by mu; the documents whose workflow began
}

// token is what an answer carries.
type token struct {
	Token string `json:"token"`
}

// witnessed are the settings that put a gateway in front of the witness.
const witnessed = "routes=[{name: documents, method: POST, pattern: /v1/documents, doc_id: 'body:/doc_id', auth: check, " +
	"check: {url: /auth, timeout: 2s}, workflow: {type: Witnessed, task_queue: witnessed, result: close}}]"

func newWitness(t testing.TB) *witness {
	w := &witness{given: map[string]string{}, begun: map[string]bool{}}
	w.legacy = httptest.NewServer(w)
	t.Cleanup(w.legacy.Close)
	return w
}

func (w *witness) give(path string) token {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := token{rand.Text()}
	w.given[t.Token] = path
	return t
}

// giver returns the path that gave the answer; "" if none did.
func (w *witness) giver(body []byte) string {
	var t token
	if json.Unmarshal(body, &t) != nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.given[t.Token]
}

func (w *witness) hasBegun(docID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begun[docID]
}

// ServeHTTP is legacy, and its authorisation check.
func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	check := r.URL.Path == "/auth"
	if check && w.checkAway.Load() || !check && w.broken.Load() && len(r.Header.Get("X-Late")) == 0 {
		panic(http.ErrAbortHandler)
	}
	if check {
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	body, _ := json.Marshal(w.give("legacy"))
	if w.broken.Load() { // it breaks in the middle of the answer
		rw.Header().Set("Content-Length", "1000")
		_, _ = rw.Write(body)
		panic(http.ErrAbortHandler)
	}
	_, _ = rw.Write(body)
}

// work runs the workflow that takes as long as one step.
func (w *witness) work(t *testing.T, s *stack) {
	t.Helper()
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	polls := worker.New(c, "witnessed", worker.Options{})
	polls.RegisterActivity(w.Ingest)
	polls.RegisterWorkflowWithOptions(func(ctx workflow.Context, in wire.Input) (out token, err error) {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
		return out, workflow.ExecuteActivity(ctx, w.Ingest, in.DocID).Get(ctx, &out)
	}, workflow.RegisterOptions{Name: "Witnessed"})
	if err := polls.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(polls.Stop)
}

// Ingest is an activity: the one step of the workflow.
func (w *witness) Ingest(_ context.Context, docID string) (token, error) {
	w.mu.Lock()
	w.begun[docID] = true
	w.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	return w.give("temporal"), nil
}
