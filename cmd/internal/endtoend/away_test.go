package endtoend_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/rollout/store/pgtest"
)

// reads waits until a gateway's metric has a value.
func (s *stack) reads(t *testing.T, operator, metric, value string) {
	t.Helper()
	eventually(t, operator+": "+metric+" "+value, func() bool {
		return strings.Contains(string(get(t, s.client, "http://"+operator+"/metrics").body), metric+" "+value+"\n")
	})
}

const (
	exposure   = `rollout_exposure_ratio{ceiling="effective"}`
	unrecorded = "rollout_away_unrecorded"
	floor      = "rollout_away_floor_ratio"
)

func restart(t *testing.T, server *pgtest.Server) {
	t.Helper()
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
}

// With the database away the documents that Temporal was never allowed are served by
// legacy, without an error and without a wait; all others are refused. When it is
// back they have claims, and the percentage rises as before.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s, server := onPostgres(t)
	s.work(t)
	s.rollTo(t, 50)
	s.rollTo(t, 20)
	s.reads(t, s.gateway.OperatorAddress(), floor, "0.5") // the highest that ever was
	server.Kill()
	passed := 0
	for n := range 100 {
		id := fmt.Sprint("away-", n)
		a := s.mustPost(t, string(documentBody(id)), "Idempotency-Key", id)
		if expectedPath(id, 50) == "legacy" {
			passed++
			if a.status != http.StatusOK || a.path() != "legacy" || a.header.Get("Rollout-Reason") != "store-away" {
				t.Errorf("%s: %v", id, a)
			}
			continue
		}
		if a.status != http.StatusServiceUnavailable || a.problem(t) != "urn:sluice:problem:claims-unavailable" {
			t.Errorf("%s: %v", id, a)
		}
	}
	if passed == 0 || passed == 100 {
		t.Fatalf("%d of 100 passed", passed)
	}
	if s.status("http://"+s.gateway.OperatorAddress()+"/readyz") != http.StatusOK {
		t.Error("the gateway is not ready")
	}
	s.reads(t, s.gateway.OperatorAddress(), unrecorded, fmt.Sprint(passed))
	restart(t, server)
	s.reads(t, s.gateway.OperatorAddress(), unrecorded, "0")
	for n := range 100 {
		id := fmt.Sprint("away-", n)
		if expectedPath(id, 50) == "temporal" {
			continue
		}
		if a := s.mustPost(t, `{"doc_id":"`+id+`","text":"another"}`, "Idempotency-Key", id); a.status != http.StatusOK || a.header.Get("Rollout-Reason") != "claim" {
			t.Errorf("%s: its key with another body: %v", id, a)
		}
	}
	s.rollTo(t, 100)
	for n := range 100 {
		id := fmt.Sprint("away-", n)
		if expectedPath(id, 50) == "temporal" {
			continue
		}
		if a := s.mustPost(t, string(documentBody(id)), "Idempotency-Key", id); a.path() != "legacy" || a.header.Get("Rollout-Reason") != "claim" {
			t.Errorf("%s: a retry: %v", id, a)
		}
	}
}

// The percentage does not pass the mark while another gateway has something that is
// not on record, and falls at any time.
func TestRaiseWaitsForWhatWentWithoutAClaim(t *testing.T) {
	t.Parallel()
	s, server := onPostgres(t)
	s.work(t)
	second := s.openGateway(t, "data="+s.dir+"/second")
	s.rollTo(t, 50)
	for _, operator := range []string{s.gateway.OperatorAddress(), second.OperatorAddress()} {
		s.reads(t, operator, floor, "0.5")
	}
	id := ""
	for n := 0; id == "" || expectedPath(id, 50) != "legacy"; n++ {
		id = fmt.Sprint("late-", n)
	}
	server.Kill()
	s.setFaults(t, s.legacy, `{"latency":"6s"}`)
	var sent sync.WaitGroup
	sent.Go(func() {
		a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody(id))
		if err != nil || a.status != http.StatusOK || a.header.Get("Rollout-Reason") != "store-away" {
			t.Errorf("%v, %v", a, err)
		}
	})
	s.reads(t, second.OperatorAddress(), unrecorded, "1")
	s.setFaults(t, s.legacy, `{}`)
	restart(t, server)
	s.setFlags(t, 100, false)
	eventually(t, "the percentage is sought", func() bool { // both know the store again
		return s.mustPost(t, `{"doc_id":"other"}`).status < 500
	})
	time.Sleep(1500 * time.Millisecond) // a raise that does not wait comes at the next offer
	s.reads(t, second.OperatorAddress(), unrecorded, "1")
	if a := s.mustPost(t, string(documentBody(id))); a.path() != "legacy" {
		t.Errorf("the document is on both paths: %v", a)
	}
	s.reads(t, s.gateway.OperatorAddress(), exposure, "0.5")
	s.rollTo(t, 10)
	s.setFlags(t, 100, false)
	sent.Wait()
	s.reads(t, s.gateway.OperatorAddress(), exposure, "1")
	s.reads(t, second.OperatorAddress(), floor, "1")
	if a := s.mustPost(t, string(documentBody(id))); a.path() != "legacy" || a.header.Get("Rollout-Reason") != "claim" {
		t.Errorf("a retry: %v", a)
	}
}
