package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"testing"

	"sluice/rollout"
)

// world is one subject, its handles, and the steps that the checks are made of.
// Its methods end the test when they fail; those that goroutines call return
// errors instead.
type world struct {
	t        *testing.T
	subject  Subject
	settings Settings
	open     []Store // owned by the test's goroutine
}

// everything lets every document go to Temporal.
func everything() *rollout.Policy {
	return &rollout.Policy{Epoch: 7, Flag: rollout.All, Plan: rollout.All, Brake: rollout.All}
}

// handle returns handle n. If the store is not shared, all are the same one.
func (w *world) handle(n int) Store {
	w.t.Helper()
	if !w.subject.Shared {
		n = 0
	}
	for len(w.open) <= n {
		w.open = append(w.open, w.subject.Open(w.t, w.settings))
	}
	return w.open[n]
}

// store returns the first handle.
func (w *world) store() Store { w.t.Helper(); return w.handle(0) }

// close closes all handles; the next call of handle opens the store again.
func (w *world) close() {
	w.t.Helper()
	for _, s := range w.open {
		if err := s.Close(); err != nil {
			w.t.Errorf("Close: %v", err)
		}
	}
	w.open = nil
}

// update makes a change that must succeed.
func (w *world) update(docID string, change func(*rollout.Holding, rollout.Instant) error) {
	w.t.Helper()
	if err := w.store().Update(w.t.Context(), docID, change); err != nil {
		w.t.Fatalf("Update of %.40q: %v", docID, err)
	}
}

// get reads a holding.
func (w *world) get(docID string) *rollout.Holding {
	w.t.Helper()
	h, err := w.store().Get(w.t.Context(), docID)
	if err != nil {
		w.t.Fatalf("Get of %.40q: %v", docID, err)
	}
	if h.DocID != docID {
		w.t.Fatalf("Get of %.40q returned the holding of %.40q", docID, h.DocID)
	}
	return h
}

// absent checks that nothing is stored of the document.
func (w *world) absent(docID string) {
	w.t.Helper()
	if h := w.get(docID); h.Version != 0 || len(h.Claims) != 0 {
		w.t.Errorf("version %d with %d claims is stored of %.40q, want nothing", h.Version, len(h.Claims), docID)
	}
}

// same checks that two holdings are equal in every field.
func same(t *testing.T, got, want *rollout.Holding) {
	t.Helper()
	if !bytes.Equal(rollout.AppendHolding(nil, got), rollout.AppendHolding(nil, want)) {
		t.Fatalf("got  %+v\nwant %+v", *got, *want)
	}
}

// ask returns the wish of one owner; name stands for the request's content.
func ask(owner, name string) rollout.Ask {
	digest := sha256.Sum256([]byte(name))
	a := rollout.Ask{
		Intent: rollout.RequestDigest{Path: "/v1/documents", Body: []byte(name)}.Intent(),
		Route:  "documents", Owner: owner, Temporal: true,
	}
	copy(a.Digest[:], digest[:])
	return a
}

// legacy returns the same wish from a gateway that lets nothing new go to
// Temporal.
func legacy(owner, name string) rollout.Ask {
	a := ask(owner, name)
	a.Temporal = false
	return a
}

// take claims a document and returns what was granted.
func take(ctx context.Context, s Store, docID string, a rollout.Ask) (rollout.Grant, error) {
	var grant rollout.Grant
	err := s.Update(ctx, docID, func(h *rollout.Holding, at rollout.Instant) (err error) {
		grant, err = h.Take(a, at)
		return err
	})
	return grant, err
}

// take claims a document that must be granted.
func (w *world) take(docID string, a rollout.Ask) rollout.Grant {
	w.t.Helper()
	grant, err := take(w.t.Context(), w.store(), docID, a)
	if err != nil {
		w.t.Fatalf("Take of %.40q: %v", docID, err)
	}
	return grant
}

// finish ends a claim on legacy with an answer.
func (w *world) finish(docID string, a rollout.Ask) {
	w.t.Helper()
	w.update(docID, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Sent(a.Intent, a.Owner, true, at)
	})
}
