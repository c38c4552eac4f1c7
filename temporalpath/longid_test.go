package temporalpath_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/temporalpath"
)

// longIDs are doc_ids whose workflow IDs are folded, for each a kind of its own.
func longIDs() map[string]string {
	return map[string]string{"300 bytes": strings.Repeat("d", 300), "512 bytes": strings.Repeat("é", 256), "a NUL": "nul\x00"}
}

// A document whose ID is folded goes every way that others go: it is started once,
// found again, listed with its key, released, fenced off and mirrored.
func TestFoldedDocumentGoesEveryWay(t *testing.T) {
	f := newFixture(t, withShadows)
	f.work(t, f.client)
	f.shadowWork(t, nil)
	const enough = 30 * time.Second
	for name, docID := range longIDs() {
		t.Run(name, func(t *testing.T) {
			ids := rollout.WorkflowIDs{Prefix: "ingest"}
			doc := document("Updated", docID, order{})
			first, again := f.run(t, doc, enough), f.run(t, doc, enough)
			if first.State != rollout.RunCompleted || string(again.Answer.Body) != string(first.Answer.Body) || f.ran(docID) != 1 {
				t.Errorf("%+v, again %+v after %d runs", first, again, f.ran(docID))
			}
			if !strings.Contains(first.WorkflowID, "~sha256-") {
				t.Errorf("it is not folded: %q", first.WorkflowID)
			}
			f.listed(t, first.WorkflowID, docID)
			if held, err := f.path.Fence(t.Context(), first.WorkflowID); !held || err != nil {
				t.Errorf("fenced after its run: held %v, %v", held, err)
			}
			doc.Life++
			fence := ids.Of(doc.DocID, doc.Intent, doc.Life)
			if held, err := f.path.Fence(t.Context(), fence); held || err != nil {
				t.Errorf("the next life, fenced: held %v, %v", held, err)
			}
			if _, err := f.path.Run(t.Context(), doc, enough); !errors.Is(err, rollout.ErrFenced) {
				t.Errorf("under its tombstone: %v", err)
			}
			doc.Life, doc.Delay = doc.Life+1, time.Hour
			held := f.run(t, doc, 0)
			if err := f.path.Release(t.Context(), held.WorkflowID); err != nil {
				t.Error(err)
			}
			if run, err := f.path.Follow(t.Context(), "Updated", held.WorkflowID, enough); err != nil || run.State != rollout.RunCompleted {
				t.Errorf("released: %+v, %v", run, err)
			}
			shadow, err := f.path.Shadow(t.Context(), doc, "a", enough)
			if err != nil || shadow.State != rollout.RunCompleted || shadow.WorkflowID != ids.OfShadow(docID, doc.Intent, "a") {
				t.Errorf("its shadow: %+v, %v", shadow, err)
			}
		})
	}
}

// listed waits until the run is listed, with the document's key.
func (f *fixture) listed(t *testing.T, id, docID string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found := false
		err := f.path.Recent(t.Context(), time.Now().Add(-time.Hour), func(life temporalpath.Life) error {
			key, _, _, ours := rollout.WorkflowIDs{Prefix: "ingest"}.Parse(life.WorkflowID, life.Document)
			found = found || life.WorkflowID == id && ours && key == docID && life.Route == "Updated"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if found {
			return
		}
	}
	t.Errorf("%q is not listed as a run of its document", id)
}
