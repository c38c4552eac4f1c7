package endtoend_test

import (
	"net/http"
	"testing"
)

// Legacy authenticates its clients; a document on Temporal does not slip past.
func TestTemporalAsksWhomLegacyWouldLetIn(t *testing.T) {
	t.Parallel()
	s := assemble(t, "secret")
	s.work(t)
	const body = `{"doc_id":"guarded","text":"Ada"}`
	for _, percent := range []float64{0, 100} {
		s.rollTo(t, percent)
		for _, test := range []struct {
			token string
			want  int
		}{{"", http.StatusUnauthorized}, {"Bearer wrong", http.StatusUnauthorized}, {"Bearer secret", http.StatusOK}} {
			a := s.mustPost(t, body, "Authorization", test.token)
			if a.status != test.want {
				t.Errorf("at %v %% with %q: %v", percent, test.token, a)
			}
			if a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("at %v %%: legacy's answer came without its challenge: %v", percent, a)
			}
			stored, err := s.stores["document"].Count(t.Context())
			if err != nil || (stored > 0) != (test.want == http.StatusOK || percent > 0) {
				t.Errorf("at %v %% after %q: %d documents, %v", percent, test.token, stored, err)
			}
		}
	}
}

func TestNoDocumentGoesToTemporalUnlessItIsKnownToBeAllowed(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "routes=[{name: documents, method: POST, pattern: /v1/documents, doc_id: 'body:/doc_id', auth: check, "+
		"check: {url: 'http://127.0.0.1:1/auth', timeout: 500ms}, workflow: {type: IngestionWorkflow, task_queue: ingestion, result: update}}]")
	s.work(t)
	s.rollTo(t, 100)
	a := s.mustPost(t, `{"doc_id":"unknown","text":"Ada"}`)
	if a.status != http.StatusServiceUnavailable || a.problem(t) != "urn:sluice:problem:authorisation-unavailable" {
		t.Errorf("%v", a)
	}
	if stored, err := s.stores["document"].Count(t.Context()); err != nil || stored != 0 {
		t.Errorf("%d documents are stored, %v", stored, err)
	}
}
