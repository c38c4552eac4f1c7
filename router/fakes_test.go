package router_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
)

type answerFunc func(ctx context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error)

// legacyFake keeps what was forwarded and answers 200, or what answer says.
type legacyFake struct {
	answer answerFunc
	deaf   bool // it reads no body that is streamed

	mu    sync.Mutex
	asked int         // guarded by mu
	got   []forwarded // guarded by mu; with whole bodies
}

type forwarded struct {
	method, target, body string
	header, trailer      http.Header
	buffered             bool // the body had been read before
}

func (l *legacyFake) Forward(ctx context.Context, w http.ResponseWriter, r *http.Request, body []byte) (rollout.Result, error) {
	f := forwarded{method: r.Method, target: r.RequestURI, body: string(body), header: r.Header.Clone(), buffered: body != nil}
	l.mu.Lock()
	l.asked++
	l.mu.Unlock()
	if !f.buffered && !l.deaf {
		streamed, err := io.ReadAll(r.Body)
		if err != nil {
			return rollout.Result{}, fmt.Errorf("%w: %w", rollout.ErrClientBody, err)
		}
		f.body = string(streamed)
	}
	f.trailer = r.Trailer.Clone()
	l.mu.Lock()
	l.got = append(l.got, f)
	l.mu.Unlock()
	if l.answer != nil {
		return l.answer(ctx, w, r)
	}
	n, _ := io.WriteString(w, "by legacy")
	return rollout.Result{Status: http.StatusOK, BytesOut: int64(n)}, nil
}

// calls returns how many requests legacy was told of, whole or not.
func (l *legacyFake) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func (l *legacyFake) all() []forwarded {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}

type runFunc func(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error)

// temporalFake keeps what it was given and completes it, or does what run says.
type temporalFake struct {
	run      runFunc
	oversize func(*rollout.Document) bool
	lookup   func(ctx context.Context, route, workflowID string) (rollout.Run, bool, error)

	mu  sync.Mutex
	got []ran // guarded by mu
}

type ran struct {
	doc  rollout.Document
	wait time.Duration
}

func (f *temporalFake) Run(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error) {
	f.mu.Lock()
	f.got = append(f.got, ran{*doc, wait})
	f.mu.Unlock()
	if f.run != nil {
		return f.run(ctx, doc, wait)
	}
	return completed(rollout.Answer{Status: http.StatusOK, Body: []byte(`{"by":"temporal"}`)})(ctx, doc, wait)
}

func (f *temporalFake) Follow(ctx context.Context, route, workflowID string, _ time.Duration) (rollout.Run, error) {
	run, _, err := f.Lookup(ctx, route, workflowID)
	return run, err
}

func (f *temporalFake) Oversize(doc *rollout.Document) bool {
	return f.oversize != nil && f.oversize(doc)
}

func (f *temporalFake) Lookup(ctx context.Context, route, workflowID string) (rollout.Run, bool, error) {
	if f.lookup == nil {
		return rollout.Run{WorkflowID: workflowID, State: rollout.RunCompleted, Answer: rollout.Answer{Status: http.StatusOK}}, true, nil
	}
	return f.lookup(ctx, route, workflowID)
}

func (f *temporalFake) all() []ran {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func completed(answer rollout.Answer) runFunc {
	return func(_ context.Context, doc *rollout.Document, _ time.Duration) (rollout.Run, error) {
		return rollout.Run{WorkflowID: workflowOf(doc), State: rollout.RunCompleted, Answer: answer}, nil
	}
}

// goesOn is a run that does not end while its client waits.
func goesOn(_ context.Context, doc *rollout.Document, _ time.Duration) (rollout.Run, error) {
	return rollout.Run{WorkflowID: workflowOf(doc), State: rollout.RunRunning}, nil
}

func workflowOf(doc *rollout.Document) string {
	return rollout.WorkflowIDs{Prefix: "ingest"}.Of(doc.DocID, doc.Intent, doc.Life)
}

// observerFake hands the records to the test and keeps count of the rest.
type observerFake struct {
	t       testing.TB
	records chan rollout.Record

	mu     sync.Mutex
	began  []rollout.Path // guarded by mu
	ended  int            // guarded by mu
	checks []string       // guarded by mu
}

func newObserver(t testing.TB) *observerFake {
	return &observerFake{t: t, records: make(chan rollout.Record, 4096)}
}

func (o *observerFake) InFlight(path rollout.Path) func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began = append(o.began, path)
	once := false
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if once {
			o.t.Error("one request was done twice")
		}
		once = true
		o.ended++
	}
}

func (o *observerFake) Observe(record *rollout.Record) { o.records <- *record }

func (o *observerFake) AuthCheck(result string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checks = append(o.checks, result)
}

// next waits for the next record.
func (o *observerFake) next() rollout.Record {
	o.t.Helper()
	select {
	case record := <-o.records:
		return record
	case <-time.After(patience):
		o.t.Fatal("no record comes")
		panic("unreachable")
	}
}

// flights returns the paths of the requests that began, and how many are done.
func (o *observerFake) flights() (began []rollout.Path, ended int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.began), o.ended
}

func (o *observerFake) authChecks() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.checks)
}

// settled checks that nothing is in flight any more.
func (o *observerFake) settled() {
	if began, ended := o.flights(); len(began) != ended {
		o.t.Errorf("%d requests were in flight and %d are done", len(began), ended)
	}
}
