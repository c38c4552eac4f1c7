package endtoend_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"sluice/rollout"
)

// answer is an HTTP answer that was read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	closed bool // the server said that it closes the connection
}

// path returns the path that the answer says the document took; "" if none.
func (a answer) path() string { return a.header.Get("Rollout-Path") }

func (a answer) String() string {
	return fmt.Sprintf("%d %s/%s %s", a.status, a.path(), a.header.Get("Rollout-Reason"), a.body)
}

// problem returns the type of a problem+json.
func (a answer) problem(t testing.TB) string {
	t.Helper()
	var p struct{ Type, Detail string }
	if err := json.Unmarshal(a.body, &p); err != nil || p.Detail == "" {
		t.Errorf("no problem that says what to do: %v", a)
	}
	return p.Type
}

// post posts one document. Headers are pairs of name and value.
func (s *stack) post(ctx context.Context, body []byte, headers ...string) (answer, error) {
	return s.postTo(ctx, s.gateway.PublicAddress(), body, headers...)
}

// insist is post as clients do it: a 503 that says so is answered by the same request
// once more. A Temporal that is hard at work takes longer than the gateway waits.
func (s *stack) insist(ctx context.Context, body []byte, headers ...string) (a answer, err error) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		a, err = s.post(ctx, body, headers...)
		if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || time.Now().After(end) {
			return a, err
		}
	}
}

func (s *stack) postTo(ctx context.Context, address string, body []byte, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/documents", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return send(s.client, request)
}

// mustPost is post for a test that cannot go on without an answer.
func (s *stack) mustPost(t testing.TB, body string, headers ...string) answer {
	t.Helper()
	a, err := s.post(t.Context(), []byte(body), headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body, response.Close}, err
}

func get(t testing.TB, client *http.Client, url string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := send(client, request)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func documentBody(docID string) []byte {
	body, _ := json.Marshal(map[string]string{"doc_id": docID, "text": "Ada Lovelace wrote to Charles Babbage about " + docID})
	return body
}

// expectedPath is the path that the golden formula gives the document.
func expectedPath(docID string, percent float64) string {
	exposure, _ := rollout.ParsePercent(percent)
	if exposure.Includes(rollout.NewSplitter(rollout.DefaultSalt).Bucket(docID)) {
		return rollout.Temporal.String()
	}
	return rollout.Legacy.String()
}
