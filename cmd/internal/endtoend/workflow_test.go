package endtoend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/temporalpath/ingestion/stores"
)

func TestHundredDocumentsAtOnce(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			id := fmt.Sprintf("at-once-%d", i)
			a, err := s.insist(t.Context(), documentBody(id))
			if err != nil || a.status != http.StatusOK || a.path() != "temporal" {
				t.Errorf("%s: %v, %v", id, a, err)
			}
		})
	}
	group.Wait()
	for _, kind := range stores.Kinds() {
		if stored, err := s.stores[kind].Count(t.Context()); err != nil || stored != 100 {
			t.Errorf("%s: %d documents are stored, %v", kind, stored, err)
		}
	}
}

// The same document gives the same answer on both paths, byte for byte, so that
// a client cannot tell them apart.
func TestBothPathsAnswerAlike(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	bodies := []string{
		`{"doc_id":"alike-1","text":"Ada Lovelace & Charles <Babbage> \u00e9"}`,
		`{ "doc_id" : "alike-2", "links": ["https://example.org/?a=1&b=2"], "n": 1.50 }`,
		`{"doc_id":"alike-3","text":"` + strings.Repeat("A long text with many words. ", 500) + `"}`,
	}
	for _, body := range bodies {
		s.rollTo(t, 0)
		byLegacy := s.mustPost(t, body)
		s.rollTo(t, 100)
		byTemporal := s.mustPost(t, body+" ") // another request for the same document
		if byLegacy.path() != "legacy" || byTemporal.path() != "temporal" || byLegacy.status != http.StatusOK {
			t.Fatalf("%v and %v", byLegacy, byTemporal)
		}
		if byLegacy.status != byTemporal.status || !bytes.Equal(byLegacy.body, byTemporal.body) ||
			byLegacy.header.Get("Content-Type") != byTemporal.header.Get("Content-Type") {
			t.Errorf("%v\nand\n%v", byLegacy, byTemporal)
		}
	}
}

// A saga that gives up undoes what it did, and the failure's status comes from
// the configuration's table.
func TestFailedSagaLeavesNothing(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	s.setFaults(t, s.worker.Address(), `{"error_rate":1}`)
	a := s.mustPost(t, `{"doc_id":"fails","text":"Ada"}`)
	if a.status != http.StatusInternalServerError || a.problem(t) != "urn:sluice:problem:workflow-failed" || !bytes.Contains(a.body, []byte("IngestionFailed")) {
		t.Errorf("%v", a)
	}
	for _, kind := range stores.Kinds() {
		if stored, err := s.stores[kind].Count(t.Context()); err != nil || stored != 0 {
			t.Errorf("%s: %d documents are stored, %v", kind, stored, err)
		}
	}
	s.setFaults(t, s.worker.Address(), `{}`)
	if a := s.mustPost(t, `{"doc_id":"fails","text":"Ada"}`); a.status != http.StatusOK {
		t.Errorf("a repeat after the fault was mended: %v", a)
	}
	if a := s.mustPost(t, `[{"doc_id":"x"}]`); a.path() != "legacy" || a.header.Get("Rollout-Reason") != "unroutable" {
		t.Errorf("no object: %v", a)
	}
}

func (s *stack) setFaults(t *testing.T, address, settings string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+address+"/faults", strings.NewReader(settings))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := send(s.client, request); err != nil || a.status != http.StatusOK {
		t.Fatalf("faults: %v, %v", a, err)
	}
}

// A client that does not want to wait gets 202 and a URL that tells how the
// document fares.
func TestStatusResource(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	s.setFaults(t, s.worker.Address(), `{"latency":"4s"}`)
	a := s.mustPost(t, `{"doc_id":"slow","text":"Ada"}`, "Prefer", "respond-async")
	if a.status != http.StatusAccepted || a.header.Get("Preference-Applied") != "respond-async" {
		t.Fatalf("%v", a)
	}
	url := "http://" + s.gateway.PublicAddress() + a.header.Get("Location")
	state := s.runState(t, url)
	if state.Status != "running" {
		t.Errorf("at once: %+v", state)
	}
	eventually(t, "the document is ingested", func() bool { return s.runState(t, url).Status == "completed" })
	if state = s.runState(t, url); state.Answer.Status != http.StatusOK || !strings.Contains(string(state.Answer.Body), `"ingested"`) {
		t.Errorf("in the end: %+v", state)
	}
	forged := url[:len(url)-1] + string(url[len(url)-1]^1)
	if a := get(t, s.client, forged); a.status != http.StatusNotFound {
		t.Errorf("a forged URL: %v", a)
	}
	began := time.Now()
	if a := s.mustPost(t, `{"doc_id":"slower","text":"Ada"}`, "Prefer", "wait=0"); a.status != http.StatusAccepted {
		t.Errorf("wait=0: %v after %s", a, time.Since(began))
	}
}

type runState struct {
	Status string
	Answer struct {
		Status int
		Body   json.RawMessage
	}
}

func (s *stack) runState(t *testing.T, url string) (state runState) {
	t.Helper()
	a := get(t, s.client, url)
	if err := json.Unmarshal(a.body, &state); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %v, %v", url, a, err)
	}
	return state
}
