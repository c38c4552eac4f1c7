package operator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/router/operator"
)

// records is a store of claims in memory.
type records struct {
	mu       sync.Mutex
	holdings map[string]*rollout.Holding // guarded by mu
	broken   error                       // what every use fails with; guarded by mu
	suspects map[rollout.Intent]bool     // never written after the start
	stalled  map[string]string           // why, by doc_id; never written after the start
}

func (r *records) Suspects(_ string, intent rollout.Intent, life uint64) bool {
	return life == 7 && r.suspects[intent]
}

func (r *records) Stalled(_ context.Context, route, docID string, intent rollout.Intent, life uint64) string {
	if stalled := r.stalled[docID]; stalled != "" {
		return fmt.Sprintf("%s %s %s %d: %s", route, docID, intent, life, stalled)
	}
	return ""
}

func (r *records) Open(_ context.Context, visit func(*rollout.Holding) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.holdings { // in Go's random order
		if _, held := h.Holder(); !held {
			continue
		}
		if err := visit(h); err != nil {
			return err
		}
	}
	return r.broken
}

func (r *records) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, found := r.holdings[docID]; found {
		return h, r.broken
	}
	return &rollout.Holding{DocID: docID}, r.broken
}

func (r *records) Force(_ context.Context, docID string, intent rollout.Intent, life uint64, state rollout.ClaimState) error {
	h, err := r.Get(context.Background(), docID)
	if err != nil {
		return err
	}
	return h.Force(intent, life, state, rollout.Instant{Now: time.Now()})
}

func (r *records) put(docID string, claims ...rollout.Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holdings[docID] = &rollout.Holding{DocID: docID, Version: 1, Claims: claims}
}

// runs is a Temporal that knows one document, and cannot be asked for another.
type runs struct{}

func (runs) Ran(_ context.Context, docID string) (bool, error) {
	if docID == "away" {
		return false, errors.New("temporal is away")
	}
	return docID == "ran", nil
}

// brokenAudit takes nothing.
type brokenAudit struct{ operator.Audit }

func (brokenAudit) Append(context.Context, rollout.Act) (rollout.Entry, error) {
	return rollout.Entry{}, errors.New("the disk is full")
}

// desk is the API on a loopback port, with a record of claims in memory and a
// real audit.
type desk struct {
	t       testing.TB
	url     string
	records *records
	audit   *audit.Log
}

func openDesk(t testing.TB, options ...func(*operator.Config)) *desk {
	t.Helper()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	d := &desk{t: t, records: &records{holdings: map[string]*rollout.Holding{}}, audit: log}
	config := operator.Config{Records: d.records, Claims: d.records, Runs: runs{}, Audit: log, Log: zap.NewNop(),
		Limits: operator.Limits{Start: 2 * time.Minute, Legacy: 3 * time.Minute, Horizon: 15 * time.Minute}}
	for _, option := range options {
		option(&config)
	}
	server := httptest.NewServer(operator.Guard("", operator.New(config)))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// do makes a request and checks the answer's status. The answer of an error must
// be a problem; its slug is returned.
func (d *desk) do(method, path, body string, status int, answer any, edits ...func(*http.Request)) (slug string) {
	d.t.Helper()
	request, err := http.NewRequest(method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, edit := range edits {
		edit(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if response.StatusCode != status {
		d.t.Errorf("%s %s: %d instead of %d: %s", method, path, response.StatusCode, status, text)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		if answer != nil {
			if err := json.Unmarshal(text, answer, json.RejectUnknownMembers(true)); err != nil {
				d.t.Errorf("%s %s: %v: %s", method, path, err, text)
			}
		}
		return ""
	}
	var p operator.Problem
	if err := json.Unmarshal(text, &p); err != nil || p.Status != response.StatusCode || p.Detail == "" ||
		response.Header.Get("Content-Type") != "application/problem+json" {
		d.t.Errorf("%s %s: no problem: %v: %s", method, path, err, text)
	}
	return strings.TrimPrefix(p.Type, operator.ProblemType)
}

// entries returns the audit.
func (d *desk) entries() []rollout.Entry {
	d.t.Helper()
	entries, err := d.audit.Read(context.Background(), 0, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return entries
}

func onTemporal(intent string, change ...func(*rollout.Claim)) rollout.Claim {
	c := rollout.Claim{Intent: rollout.Intent(intent), Route: "documents", Life: 7, Path: rollout.Temporal,
		Owner: "gw-1", Epoch: 3, Born: time.Now().Add(-time.Minute).UnixMilli(), Attempts: 1, Unsettled: 1}
	for _, f := range change {
		f(&c)
	}
	return c
}

func onLegacy(intent string, senders ...string) rollout.Claim {
	c := onTemporal(intent)
	c.Path, c.Attempts, c.Unsettled = rollout.Legacy, 0, 0
	for _, owner := range senders {
		c.Sends = append(c.Sends, rollout.Sends{Owner: owner, Count: 1, Last: c.Born})
	}
	return c
}

// aged is a claim, and its sends, of that age.
func aged(age time.Duration) func(*rollout.Claim) {
	return func(c *rollout.Claim) {
		c.Born = time.Now().Add(-age).UnixMilli()
		for i := range c.Sends {
			c.Sends[i].Last = c.Born
		}
	}
}

func accepted(c *rollout.Claim) { c.Accepted = true }
func done(c *rollout.Claim)     { c.State, c.Settled, c.Accepted = rollout.ClaimDone, c.Born+5, true }
