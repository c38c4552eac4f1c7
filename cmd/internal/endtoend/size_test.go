package endtoend_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var largeDocument = `{"doc_id":"large","text":"` + strings.Repeat("A long text with many words. ", 100_000) + `"}`

// Putting the gateway in front must break no client: what Temporal cannot hold
// stays with legacy.
func TestDocumentOverTheLimitStaysWithLegacy(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	a := s.mustPost(t, largeDocument)
	if a.status != http.StatusOK || a.path() != "legacy" || a.header.Get("Rollout-Reason") != "size" {
		t.Errorf("%v", a)
	}
}

func TestClaimCheckCarriesItToTemporal(t *testing.T) {
	t.Parallel()
	payloads := filepath.Join(t.TempDir(), "payloads")
	s := assemble(t, "", "temporal.claim_check.store=directory", "temporal.claim_check.directory="+payloads)
	s.work(t)
	s.rollTo(t, 100)
	eventually(t, "the workers declare that they read it", func() bool { return s.lacks(t, "claim_check", false) && s.declared(t) })
	a := s.mustPost(t, largeDocument)
	if a.status != http.StatusOK || a.path() != "temporal" {
		t.Errorf("%v", a)
	}
}

func TestBadInputAtTheDoor(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "rollout.on_unroutable=reject")
	s.rollTo(t, 100)
	for name, test := range map[string]struct {
		body   string
		status int
		kind   string
	}{
		"empty":          {"", 400, "unroutable"},
		"not JSON":       {"doc_id=1", 400, "unroutable"},
		"missing":        {"{}", 400, "unroutable"},
		"empty id":       {`{"doc_id":""}`, 400, "unroutable"},
		"number":         {`{"doc_id":7}`, 400, "unroutable"},
		"duplicate":      {`{"doc_id":"a","doc_id":"a"}`, 400, "unroutable"},
		"case folded":    {`{"doc_id":"a","DOC_ID":"b"}`, 400, "unroutable"},
		"invalid UTF-8":  {"{\"doc_id\":\"\xff\"}", 400, "unroutable"},
		"over 10 MiB":    {strings.Repeat(" ", 10<<20+1), 413, "too-large"},
		"513 bytes long": {`{"doc_id":"` + strings.Repeat("x", 513) + `"}`, 400, "unroutable"},
	} {
		a := s.mustPost(t, test.body)
		if a.status != test.status || a.problem(t) != "urn:sluice:problem:"+test.kind || a.path() != "" {
			t.Errorf("%s: %v", name, a)
		}
	}
	if a := get(t, s.client, "http://"+s.gateway.PublicAddress()+"/_sluice/nothing"); a.status != http.StatusNotFound || a.problem(t) != "urn:sluice:problem:unknown-resource" {
		t.Errorf("%v", a)
	}
	if stored, err := s.stores["document"].Count(t.Context()); err != nil || stored != 0 {
		t.Errorf("%d documents got through, %v", stored, err)
	}
}

// At 0 %, with nothing on Temporal, neither a parser nor a limit of the gateway's is
// between a client and legacy; and who operates it is told.
func TestAtNothingLegacyDecides(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "requests.max_body=64KiB")
	for name, body := range map[string]string{
		"over max_body": `{"doc_id":"large","text":"` + strings.Repeat("A long text. ", 10_000) + `"}`,
		"not JSON":      "doc_id=1",
		"a number":      `{"doc_id":7}`,
		"a batch":       `[{"doc_id":"a"},{"doc_id":"b"}]`,
	} {
		want, err := s.postTo(t.Context(), s.legacy, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		for a := s.mustPost(t, body); ; a = s.mustPost(t, body) {
			if a.status == http.StatusRequestEntityTooLarge && t.Context().Err() == nil {
				time.Sleep(50 * time.Millisecond) // the gateway has not looked yet
				continue
			}
			if a.status != want.status || a.path() != "legacy" || a.header.Get("Rollout-Reason") != "unroutable" {
				t.Errorf("%s: %v, and legacy says %v", name, a, want)
			}
			break
		}
	}
	status := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/rollout")
	if !strings.Contains(string(status.body), `"unclaimed_last_hour":{"missing":1,"not-a-string":1,"not-json":1,"too-large":1}`) {
		t.Errorf("%s", status.body)
	}
	s.rollTo(t, 100)
	if a := s.mustPost(t, strings.Repeat(" ", 65<<10)); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("at 100 %%: %v", a)
	}
}
