package demolegacy_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/demolegacy"
	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
)

const document = `{"doc_id": "doc-1", "text": "Ada Lovelace met Charles Babbage.", "links": ["https://example.org"]}`

// open returns a service on stores of its own, and these.
func open(t *testing.T, token string) (*demolegacy.Service, stores.Handles) {
	t.Helper()
	handles, err := stores.OpenSet(t.Context(), stores.Everywhere("sqlite:"+filepath.Join(t.TempDir(), "documents.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := handles.Close(); err != nil {
			t.Error(err)
		}
	})
	service, err := demolegacy.New(demolegacy.Config{Stores: handles, Token: token, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return service, handles
}

// ask sends one request and checks the status of its answer.
func ask(t *testing.T, service http.Handler, method, path, body string, want int) []byte {
	t.Helper()
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, httptest.NewRequest(method, path, bytes.NewBufferString(body)))
	if answer.Code != want {
		t.Errorf("%s %s %.60s: %d %s, want %d", method, path, body, answer.Code, answer.Body, want)
	}
	return answer.Body.Bytes()
}

// counts checks how many documents each store has.
func counts(t *testing.T, handles stores.Handles, want int) {
	t.Helper()
	for kind, handle := range handles {
		if n, err := handle.Count(t.Context()); n != want || err != nil {
			t.Errorf("the %s store has %d documents, want %d (%v)", kind, n, want, err)
		}
	}
}

func ingest(t *testing.T, service http.Handler) (result ingestion.Result) {
	t.Helper()
	if err := json.Unmarshal(ask(t, service, "POST", "/v1/documents", document, http.StatusOK), &result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestDocumentIsStoredAndReadBack(t *testing.T) {
	t.Parallel()
	service, handles := open(t, "")
	if got := ingest(t, service); got.DocID != "doc-1" || got.Status != "ingested" || got.Chunks == 0 || got.Entities == 0 {
		t.Errorf("the result is %+v", got)
	}
	counts(t, handles, 1)
	var got, want any
	if err := json.Unmarshal(ask(t, service, "GET", "/v1/documents/doc-1", "", http.StatusOK), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(document), &want); err != nil {
		t.Fatal(err)
	}
	gotText, _ := json.Marshal(got)
	wantText, _ := json.Marshal(want)
	if !bytes.Equal(gotText, wantText) {
		t.Errorf("read back: %s", gotText)
	}
	ask(t, service, "GET", "/v1/documents/doc-2", "", http.StatusNotFound)
}

// What the workflow calls an InvalidDocument has the same status here.
func TestUnusableDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	service, handles := open(t, "")
	for body, want := range map[string]int{
		`["doc-1"]`:          http.StatusUnprocessableEntity,
		"\n \"doc-1\"":       http.StatusUnprocessableEntity,
		`null`:               http.StatusUnprocessableEntity,
		``:                   http.StatusBadRequest,
		`  `:                 http.StatusBadRequest,
		`{"doc_id": "doc-1"`: http.StatusBadRequest,
		`{"text": "no id"}`:  http.StatusBadRequest,
		`{"doc_id": 1}`:      http.StatusBadRequest,
		`{"doc_id": ""}`:     http.StatusBadRequest,
	} {
		ask(t, service, "POST", "/v1/documents", body, want)
	}
	counts(t, handles, 0)
}

// A failure half-way is undone: what was written before it is gone.
func TestFailureLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	service, handles := open(t, "")
	ask(t, service, "PUT", "/faults", `{"error_rate": 1}`, http.StatusOK)
	ask(t, service, "POST", "/v1/documents", document, http.StatusInternalServerError)
	counts(t, handles, 0)
	ask(t, service, "GET", "/v1/documents/doc-1", "", http.StatusNotFound)

	ask(t, service, "PUT", "/faults", `{}`, http.StatusOK)
	ingest(t, service)
	counts(t, handles, 1)
}

func TestDifferChangesTheChecksumAlone(t *testing.T) {
	t.Parallel()
	service, _ := open(t, "")
	before := ingest(t, service)
	ask(t, service, "PUT", "/faults", `{"differ": 1}`, http.StatusOK)
	after := ingest(t, service)
	if after.Checksum == before.Checksum {
		t.Error("the checksum does not differ")
	}
	after.Checksum = before.Checksum
	if after != before {
		t.Errorf("more differs than the checksum: %+v, before %+v", after, before)
	}
}

func TestTokenIsAskedFor(t *testing.T) {
	t.Parallel()
	service, handles := open(t, "secret")
	for path, method := range map[string]string{"/v1/documents": "POST", "/v1/documents/doc-1": "GET", "/auth": "GET"} {
		for token, want := range map[string]bool{"": false, "Bearer wrong": false, "Bearer secret2": false, "secret": false, "Bearer secret": true} {
			request := httptest.NewRequest(method, path, bytes.NewBufferString(document))
			request.Header.Set("Authorization", token)
			answer := httptest.NewRecorder()
			service.ServeHTTP(answer, request)
			if let := answer.Code != http.StatusUnauthorized; let != want {
				t.Errorf("%s %s with %q: %d", method, path, token, answer.Code)
			} else if !let && answer.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: a 401 without WWW-Authenticate", method, path)
			}
		}
	}
	counts(t, handles, 1)
	ask(t, service, "GET", "/healthz", "", http.StatusNoContent) // asks for none
}

// A dry run answers what the real one would, and stores nothing.
func TestDryRunStoresNothing(t *testing.T) {
	service, handles := open(t, "")
	request := httptest.NewRequest(http.MethodPost, "/v1/documents", bytes.NewBufferString(document))
	request.Header.Set(demolegacy.DryRunHeader, "true")
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, request)
	counts(t, handles, 0)
	real := ask(t, service, http.MethodPost, "/v1/documents", document, http.StatusOK)
	if answer.Code != http.StatusOK || !bytes.Equal(answer.Body.Bytes(), real) {
		t.Errorf("dry: %d %s, real: %s", answer.Code, answer.Body, real)
	}
	counts(t, handles, 1)
}

// What the service usually takes is no fault: an empty object mends what went wrong
// and leaves that. It took that away too, and then Temporal counted as slow.
func TestMendedServiceTakesItsUsualTime(t *testing.T) {
	t.Parallel()
	_, handles := open(t, "")
	service, err := demolegacy.New(demolegacy.Config{Stores: handles, Latency: 60 * time.Millisecond, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ put, want string }{
		{`{"error_rate":0.3}`, `{"latency":"60ms","error_rate":0.3,"differ":0}`},
		{`{"latency":"2s"}`, `{"latency":"2s","error_rate":0,"differ":0}`},
		{`{"latency":"0s"}`, `{"latency":"0s","error_rate":0,"differ":0}`},
		{`{}`, `{"latency":"60ms","error_rate":0,"differ":0}`},
	} {
		if got := bytes.TrimSpace(ask(t, service, "PUT", "/faults", test.put, http.StatusOK)); string(got) != test.want {
			t.Errorf("after %s: %s, want %s", test.put, got, test.want)
		}
	}
}
