package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
)

// Kill -9 takes no answer away that legacy gave; what it had not answered goes
// there again once the dead gateway's request cannot be at work any more.
func TestKilledGatewayLosesNoAnswer(t *testing.T) {
	t.Parallel()
	var documents atomic.Int32
	arrived := make(chan struct{}, 1)
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			return
		}
		documents.Add(1)
		if r.Header.Get("X-Slow") != "" {
			_, _ = io.Copy(io.Discard, r.Body) // or nobody notices that the gateway is gone
			arrived <- struct{}{}
			<-r.Context().Done() // its gateway is gone
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	}))
	t.Cleanup(legacy.Close)
	data := "data=" + t.TempDir()
	settings := []string{data, "legacy.idempotency=gateway", "legacy.answer_timeout=1s", "claims.lease=3s"}
	g := startGateway(t, legacy.URL, settings...)
	post := func(want int, body string, fields ...string) reply {
		t.Helper()
		return ask(t, want, "POST", g.public+"/v1/documents", body, append(fields, "Idempotency-Key", "k")...)
	}
	post(http.StatusCreated, `{"doc_id":"done"}`)
	go func() {
		_, _ = try("POST", g.public+"/v1/documents", `{"doc_id":"cut"}`, "Idempotency-Key", "k", "X-Slow", "yes")
	}()
	<-arrived
	g.signal(t, syscall.SIGKILL)
	<-g.done

	g = startGateway(t, legacy.URL, settings...)
	again := post(http.StatusCreated, `{"doc_id":"done"}`)
	if again.body != "made" || again.header.Get("Rollout-Replayed") != "true" || again.header.Get("Rollout-Path") != "legacy" {
		t.Errorf("the retry of what was answered got %+v", again)
	}
	if n := documents.Load(); n != 2 {
		t.Errorf("legacy got %d documents", n)
	}
	eventually(t, "what was not answered is sent again", func() bool {
		r, err := try("POST", g.public+"/v1/documents", `{"doc_id":"cut"}`, "Idempotency-Key", "k")
		if err == nil && r.status == http.StatusConflict && r.header.Get("Retry-After") == "" {
			t.Errorf("no word of when to come again: %+v", r)
		}
		return err == nil && r.status == http.StatusCreated && r.header.Get("Rollout-Replayed") == ""
	})
	if n := documents.Load(); n != 3 {
		t.Errorf("legacy got %d documents", n)
	}
}
