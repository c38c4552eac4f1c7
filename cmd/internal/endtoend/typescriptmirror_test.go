package endtoend_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"sluice/rollout/compare/noise"
	"sluice/rollout/evidence"
)

// answerTrial is the legacy service of the TypeScript worker's routes. To a document
// that says what legacy answers it answers that, with a trace of its own.
func answerTrial(w http.ResponseWriter, r *http.Request) {
	var document struct {
		Legacy map[string]any `json:"legacy"`
	}
	if err := json.NewDecoder(r.Body).Decode(&document); err != nil || document.Legacy == nil {
		http.Error(w, "not a document of the mirror's test", http.StatusBadRequest)
		return
	}
	document.Legacy["trace"] = rand.Text()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document.Legacy) // to a client that waits for it
}

// mirrored: shadow runs find a planted difference, know noise for what it is, and write
// to a store of their own.
func (ts *typescript) mirrored(t *testing.T) {
	const documents = 40
	ts.setShadow(t, 100)
	for _, route := range []string{"invoices", "scans", "trials", "endings"} {
		eventually(t, "the workers declare that they can", func() bool {
			return strings.Contains(ts.metrics(t), `rollout_shadow_ready{route="`+route+`"} 1`)
		})
	}
	planted := 0
	for i := range documents {
		pages := 3
		if i%4 == 0 {
			pages, planted = 4, planted+1
		}
		body := fmt.Sprintf(`{"returns": [{"n": %d, "pages": 3}], "random": "trace", "legacy": {"n": %d, "pages": %d}}`, i, i, pages)
		if a := ts.send(t, http.MethodPut, fmt.Sprintf("/trials/mirrored-%d/all", i), body); a.status != http.StatusOK || a.path() != "legacy" {
			t.Errorf("%v", a)
		}
	}
	var report *evidence.Report
	eventually(t, "all are compared", func() bool {
		report = ts.shadow(t)
		return accounted(report) >= documents
	})
	for _, f := range report.Routes["trials"].Fields {
		switch {
		case f.Field == "/pages" && f.Verdict.Counts() && f.AB.Differed == uint64(planted):
			planted = 0
		case f.Field == "/trace" && f.Verdict == noise.Noise:
		default:
			t.Errorf("%s is %s: %+v, of %d planted", f.Field, f.Verdict, f.AB, planted)
		}
	}
	if planted > 0 || report.Certificate.Evidence.Compared != documents {
		t.Errorf("the difference was not found: %+v", report.Certificate.Evidence)
	}
	if files, err := os.ReadDir(ts.shadows); err != nil || len(files) != documents {
		t.Errorf("%d shadow runs left something in their store, %v", len(files), err)
	}
	if files, err := os.ReadDir(ts.store); !os.IsNotExist(err) {
		t.Errorf("shadow runs left %v in the real store, %v", files, err)
	}
}
