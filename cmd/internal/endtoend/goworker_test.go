package endtoend_test

import (
	"net/http"
	"testing"

	"sluice/docs/workers/go/ingest"
)

// inGo: the example in Go does what the one in TypeScript does.
func (ts *typescript) inGo(t *testing.T) {
	store := t.TempDir()
	w := ingest.NewWorker(ts.temporal, ingest.Config{TaskQueue: "go", Deployment: "go", BuildID: "g1", Store: store})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	eventually(t, "the version is current", func() bool { return ts.makeCurrent(t.Context(), "go", "g1") == nil })
	ts.declares(t, "go", "g1", "IngestInvoice", "IngestScan")

	a := ts.send(t, http.MethodPost, "/go/invoices?dry_run=true", `{"doc_id": "go-invoice", "total": 12.5}`)
	a.wantJSON(t, http.StatusOK, `{"doc_id": "go-invoice", "total": 12.5, "stored": false}`)
	if got := stored(t, store, "", "go-invoice"); got != nil {
		t.Errorf("stored %s", got)
	}
	a = ts.send(t, http.MethodPost, "/go/invoices", `{"doc_id": "go-invoice", "total": 12.5}`)
	a.wantJSON(t, http.StatusCreated, `{"doc_id": "go-invoice", "total": 12.5, "stored": true}`)
	if got := stored(t, store, "", "go-invoice"); string(got) != `{"doc_id":"go-invoice","total":12.5}` || a.header.Get("Location") != "/go/invoices/go-invoice" {
		t.Errorf("stored %s, %v", got, a.header)
	}
	a = ts.send(t, http.MethodPost, "/go/scans", "\x00\xff1", "X-Document-Id", "go-scan", "Content-Type", "image/tiff")
	a.wantJSON(t, http.StatusCreated, `{"doc_id": "go-scan", "bytes": 3}`)
	if got := stored(t, store, "", "go-scan"); string(got) != "\x00\xff1" {
		t.Errorf("stored %q", got)
	}
	a = ts.send(t, http.MethodPost, "/go/invoices", `{"doc_id": "go-no-total"}`)
	if a.status != http.StatusUnprocessableEntity || a.problem(t) != "urn:sluice:problem:workflow-failed" {
		t.Errorf("%v", a)
	}
	a = ts.send(t, http.MethodPost, "/go/invoices", `{"doc_id": "go-dollars", "total": 1, "currency": "USD"}`)
	a.wantJSON(t, http.StatusConflict, `{"error": "currency"}`)
}
