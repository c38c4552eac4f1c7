package temporalpath_test

import (
	"errors"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/temporalpath"
)

// A start that comes after its tombstone never runs, whether the tombstone is
// open or has ended, and says so.
func TestNothingStartsUnderATombstone(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated"} {
		for state, pause := range map[string]time.Duration{"open": 0, "ended": 2 * time.Second} {
			docID := route + "-" + state
			doc := document(route, docID, order{})
			id := rollout.WorkflowIDs{Prefix: "ingest"}.Of(doc.DocID, doc.Intent, doc.Life)
			if held, err := f.path.Fence(t.Context(), id); held || err != nil {
				t.Fatalf("%s: held %v, %v", docID, held, err)
			}
			time.Sleep(pause)
			if held, err := f.path.Fence(t.Context(), id); held || err != nil {
				t.Errorf("%s, fenced again: held %v, %v", docID, held, err)
			}
			_, err := f.path.Run(t.Context(), doc, 20*time.Second)
			if !errors.Is(err, rollout.ErrFenced) || !errors.Is(err, rollout.ErrNotAccepted) {
				t.Errorf("%s: got %v", docID, err)
			}
			if _, _, err := f.path.Lookup(t.Context(), route, id); !errors.Is(err, rollout.ErrFenced) {
				t.Errorf("%s, looked up: %v", docID, err)
			}
			if n := f.ran(docID); n != 0 {
				t.Errorf("%s ran %d times", docID, n)
			}
		}
	}
}

// A start that finds a tombstone open must not take it for its own run, however
// short the client's wait: it would be answered 202, and nothing would ever run.
func TestAnOpenTombstoneIsNoAcknowledgement(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated"} {
		for _, wait := range []time.Duration{0, 50 * time.Millisecond} {
			doc := document(route, route+"-"+wait.String(), order{})
			id := rollout.WorkflowIDs{Prefix: "ingest"}.Of(doc.DocID, doc.Intent, doc.Life)
			if held, err := f.path.Fence(t.Context(), id); held || err != nil {
				t.Fatalf("%s: held %v, %v", doc.DocID, held, err)
			}
			run, err := f.path.Run(t.Context(), doc, wait)
			if !errors.Is(err, rollout.ErrFenced) || !errors.Is(err, rollout.ErrNotAccepted) {
				t.Errorf("%s: got %+v, %v", doc.DocID, run, err)
			}
		}
	}
}

// A tombstone that comes after the start finds that Temporal has the document,
// running or ended.
func TestFenceFindsWhatWasStarted(t *testing.T) {
	f := newFixture(t, nil)
	f.work(t, f.client)
	for _, route := range []string{"Plain", "Updated"} {
		doc := document(route, route+"-held", order{Sleep: 2 * time.Second})
		run := f.run(t, doc, 0)
		if held, err := f.path.Fence(t.Context(), run.WorkflowID); !held || err != nil {
			t.Errorf("%s, running: held %v, %v", route, held, err)
		}
		ended, err := f.path.Follow(t.Context(), route, run.WorkflowID, 20*time.Second)
		if err != nil || ended.State != rollout.RunCompleted {
			t.Errorf("%s: %+v, %v", route, ended, err)
		}
		if held, err := f.path.Fence(t.Context(), run.WorkflowID); !held || err != nil {
			t.Errorf("%s, ended: held %v, %v", route, held, err)
		}
	}
	lives := map[string]bool{}
	for range 100 { // visibility lags behind
		err := f.path.Recent(t.Context(), time.Now().Add(-time.Hour), func(life temporalpath.Life) error {
			lives[life.WorkflowID] = life.Running
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(lives) == 2 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(lives) != 2 {
		t.Errorf("listed %v", lives)
	}
	if kept, err := f.path.Retention(t.Context()); err != nil || kept != 24*time.Hour {
		t.Errorf("retention %v, %v", kept, err)
	}
}
