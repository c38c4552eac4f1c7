package faultproxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/cmd/internal/chaos/faultproxy"
)

func post(t *testing.T, client *http.Client, address string) (string, error) {
	t.Helper()
	// GetBody stays unset, or the client would send it again by itself.
	r, err := http.NewRequest(http.MethodPost, "http://"+address, io.NopCloser(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 5
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// Every fault happens; some of them after the request was served and some
// before, and a calm proxy passes all.
func TestFaultsHappenAndEnd(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && string(body) == "hello" {
			served.Add(1)
		}
		_, _ = io.WriteString(w, "world")
	}))
	t.Cleanup(server.Close)
	p, err := faultproxy.New(faultproxy.Config{Target: server.Listener.Addr().String(), Rate: 0.5, MaxStall: 50 * time.Millisecond, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	answered := 0
	const posts = 300
	for range posts {
		if text, err := post(t, client, p.Address()); err == nil && text == "world" {
			answered++
		}
	}
	for _, f := range faultproxy.Faults() {
		if p.Count(f) == 0 {
			t.Errorf("%s never happened in %d posts", f, posts)
		}
	}
	if n := int(served.Load()); answered >= n || n >= posts {
		t.Errorf("%d posts, %d served, %d answered: each must be less than the one before", posts, n, answered)
	}
	p.Calm()
	client.CloseIdleConnections()
	for range 50 {
		if text, err := post(t, client, p.Address()); err != nil || text != "world" {
			t.Fatalf("the calm proxy: %q, %v", text, err)
		}
	}
}

// Only what holds the marker is hit.
func TestMarkerChooses(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "world") }))
	t.Cleanup(server.Close)
	p, err := faultproxy.New(faultproxy.Config{Target: server.Listener.Addr().String(), Rate: 1, Marker: []byte("elsewhere"), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for range 20 {
		if text, err := post(t, client, p.Address()); err != nil || text != "world" {
			t.Fatalf("%q, %v", text, err)
		}
	}
}
