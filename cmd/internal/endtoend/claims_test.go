package endtoend_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
)

// A retry gets the same answer and runs nothing, whatever the percentage is by
// then; a rollback empties Temporal of documents that come again.
func TestRetryAcrossAChangeOfThePercentage(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	first := s.mustPost(t, `{"doc_id":"a","text":"Ada"}`)
	s.rollTo(t, 0)
	again := s.mustPost(t, `{"doc_id":"a","text":"Ada"}`)
	if first.path() != "temporal" || again.path() != "temporal" || again.header.Get("Rollout-Replayed") != "true" || string(again.body) != string(first.body) {
		t.Errorf("%v and then %v", first, again)
	}
	if a := s.mustPost(t, `{"doc_id":"a","text":"Babbage"}`); a.path() != "legacy" || a.status != http.StatusOK {
		t.Errorf("a new version: %v", a)
	}
	if a := s.mustPost(t, `{"doc_id":"b","text":"x"}`, "Idempotency-Key", "k"); a.status != http.StatusOK {
		t.Errorf("%v", a)
	}
	if a := s.mustPost(t, `{"doc_id":"b","text":"y"}`, "Idempotency-Key", "k"); a.status != http.StatusOK || a.path() != "legacy" {
		t.Errorf("a key with another body is legacy's to judge on legacy: %v", a)
	}
	s.rollTo(t, 100)
	s.mustPost(t, `{"doc_id":"c","text":"x"}`, "Idempotency-Key", "k")
	if a := s.mustPost(t, `{"doc_id":"c","text":"y"}`, "Idempotency-Key", "k"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a key with another body, on Temporal: %v", a)
	}
}

// A start of unknown fate is settled as soon as Temporal answers, and until then
// the document goes nowhere else.
func TestAmbiguousStartIsSettled(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "temporal.start_timeout=1s")
	s.work(t)
	s.rollTo(t, 100)
	s.mustPost(t, `{"doc_id":"warm","text":"x"}`)
	s.server.Freeze()
	for range 2 {
		a := s.mustPost(t, `{"doc_id":"frozen","text":"Ada"}`)
		if a.status != http.StatusServiceUnavailable || a.problem(t) != "urn:sluice:problem:temporal-ambiguous" || a.header.Get("Retry-After") == "" {
			t.Fatalf("%v", a)
		}
	}
	s.server.Thaw()
	eventually(t, "the client's retry is served", func() bool {
		return s.mustPost(t, `{"doc_id":"frozen","text":"Ada"}`).status == http.StatusOK
	})
	if a := s.mustPost(t, `{"doc_id":"frozen","text":"Ada"}`); a.path() != "temporal" || a.header.Get("Rollout-Replayed") != "true" {
		t.Errorf("%v", a)
	}
	eventually(t, "nothing is unresolved", func() bool { return strings.Contains(s.metrics(t), "rollout_claims_unresolved 0\n") })
}

// The next process on the same directory takes over what the last one left.
func TestRestartKeepsTheHolder(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "legacy.answer_timeout=2s")
	s.work(t)
	s.rollTo(t, 100)
	s.setFaults(t, s.worker.Address(), `{"latency":"4s"}`)
	settings := append(s.settings, "data="+s.dir+"/restarted")
	first, stop := s.runGateway(t, settings)
	a, err := s.postTo(t.Context(), first.PublicAddress(), []byte(`{"doc_id":"kept","text":"Ada"}`), "Prefer", "respond-async")
	if err != nil || a.status != http.StatusAccepted {
		t.Fatalf("%v, %v", a, err)
	}
	stop()
	s.setFlags(t, 0, false)
	second, stop := s.runGateway(t, settings)
	defer stop()
	a, err = s.postTo(t.Context(), second.PublicAddress(), []byte(`{"doc_id":"kept","text":"Ada"}`), "Prefer", "wait=30")
	if err != nil || a.status != http.StatusOK || a.path() != "temporal" || a.header.Get("Rollout-Reason") != "claim" {
		t.Errorf("after the restart: %v, %v", a, err)
	}
	eventually(t, "the new process settles the claim", func() bool {
		page := string(get(t, s.client, "http://"+second.OperatorAddress()+"/metrics").body)
		return strings.Contains(page, fmt.Sprintf("rollout_claims_settled_total{path=%q,route=%q,state=%q} 1\n", "temporal", "documents", "done"))
	})
}

// runGateway runs a gateway until stop is called.
func (s *stack) runGateway(t *testing.T, settings []string) (g *gateway.Gateway, stop func()) {
	t.Helper()
	g, err := gateway.Open(t.Context(), s.load(t, settings), gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	return g, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}
