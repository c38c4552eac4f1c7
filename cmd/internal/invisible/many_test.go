package invisible_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestManyRequests: each of two thousand small requests over many connections is
// answered by legacy, which gets it once.
func TestManyRequests(t *testing.T) {
	t.Parallel()
	const clients, each = 50, 40
	var mu sync.Mutex
	got := map[string]int{} // guarded by mu
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		got[r.Method+r.URL.Path+string(body)]++
		mu.Unlock()
		w.Header().Set("X-Echo", r.Header.Get("X-Number"))
		_, _ = w.Write(body) // the client reads it, or the test fails there
	}))
	defer legacy.Close()
	door := openGateway(t, "legacy.url="+legacy.URL).PublicAddress()
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: patience}
			defer client.CloseIdleConnections()
			for n := range each {
				if err := echo(client, door, c, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(got) != clients*each {
		t.Errorf("legacy got %d different requests of %d", len(got), clients*each)
	}
	for what, times := range got {
		if times != 1 {
			t.Errorf("legacy got %d times %s", times, what)
		}
	}
}

// echo posts a document or puts something else, and compares what comes back.
func echo(client *http.Client, door string, c, n int) error {
	number := fmt.Sprintf("%d-%d", c, n)
	method, path, body := http.MethodPost, route, `{"doc_id":"`+number+`"}`
	if n%2 == 0 {
		method, path, body = http.MethodPut, "/things/"+number, "hello "+number
	}
	r, err := http.NewRequest(method, "http://"+door+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Number", number)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	back, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || string(back) != body || answer.Header.Get("X-Echo") != number {
		return fmt.Errorf("%s: %s, X-Echo %s, %s, %v", number, answer.Status, answer.Header.Get("X-Echo"), quoted(string(back)), err)
	}
	return nil
}
