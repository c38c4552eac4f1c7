package main

import (
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
)

// The legacy service alone: documents, token and faults.
func TestDemoLegacyAlone(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	p := start(t, "demo", "legacy", "-listen", address, "-token", "secret",
		"-stores", "sqlite:"+filepath.Join(t.TempDir(), "made", "documents.db"))
	url, good := "http://"+address, []string{"Authorization", "Bearer secret"}
	served(t, url+"/healthz")

	for _, wrong := range [][]string{nil, {"Authorization", "Bearer guess"}} {
		r := ask(t, http.StatusUnauthorized, "POST", url+"/v1/documents", legacyDocument, wrong...)
		contains(t, "WWW-Authenticate", r.header.Get("WWW-Authenticate"), "Bearer")
	}
	ask(t, http.StatusNotFound, "GET", url+"/v1/documents/doc-123", "", good...)
	result := object(t, ask(t, http.StatusOK, "POST", url+"/v1/documents", legacyDocument, good...).body)
	if result["doc_id"] != "doc-123" || result["status"] != "ingested" || result["checksum"] == "" {
		t.Errorf("the result is %v", result)
	}
	if got := ask(t, http.StatusOK, "GET", url+"/v1/documents/doc-123", "", good...); got.body != legacyDocument {
		t.Errorf("read back: %s", got.body)
	}

	ask(t, http.StatusBadRequest, "PUT", url+"/faults", `{"error_rate":2}`)
	ask(t, http.StatusOK, "PUT", url+"/faults", `{"error_rate":1}`)
	ask(t, http.StatusInternalServerError, "POST", url+"/v1/documents", `{"doc_id":"doc-bad"}`, good...)
	ask(t, http.StatusNotFound, "GET", url+"/v1/documents/doc-bad", "", good...)
	ask(t, http.StatusOK, "PUT", url+"/faults", `{}`)
	ask(t, http.StatusOK, "POST", url+"/v1/documents", `{"doc_id":"doc-bad"}`, good...)

	p.signal(t, syscall.SIGTERM)
	p.exit(t, 0)
}
