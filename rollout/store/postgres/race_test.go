package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// count adds one to a number in the document's holding.
func count(ctx context.Context, store *postgres.Store, docID string) error {
	return store.Update(ctx, docID, func(h *rollout.Holding, _ rollout.Instant) error {
		if len(h.Claims) == 0 {
			h.Claims = []rollout.Claim{{Intent: intent, Owner: "counter"}}
		}
		h.Claims[0].Attempts++
		h.Counts = append(h.Counts, rollout.Count{Epoch: 1, Event: rollout.EventGood, Times: 1})
		return nil
	})
}

// counted returns the number, 0 for a document without a holding.
func counted(t testing.TB, store *postgres.Store, docID string) int {
	t.Helper()
	h, err := store.Get(t.Context(), docID)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Claims) == 0 {
		return 0
	}
	if uint64(h.Claims[0].Attempts) != h.Version {
		t.Errorf("%s has version %d after %d changes", docID, h.Version, h.Claims[0].Attempts)
	}
	return int(h.Claims[0].Attempts)
}

func TestTwoGatewaysLoseNoUpdate(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	const docs, writers, each = 5, 8, 40
	var running sync.WaitGroup
	for i := range writers {
		running.Go(func() {
			for n := range each {
				if err := count(t.Context(), stores[i%2], fmt.Sprint("doc-", (n+i)%docs)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	sum := 0
	for i := range docs {
		sum += counted(t, stores[0], fmt.Sprint("doc-", i))
	}
	if events := good(t, stores[0]); events != uint64(sum) {
		t.Errorf("%d events were counted of %d changes", events, sum)
	}
	if sum != writers*each {
		t.Errorf("%d changes are stored, %d were acknowledged", sum, writers*each)
	}
}

// A record that is removed and made anew has the same version again; its stamp
// is another.
func TestVersionThatComesAgainIsNotTheSame(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	frozen, other := open(t, dsn), open(t, dsn)
	if err := count(t.Context(), other, "doc"); err != nil {
		t.Fatal(err)
	}
	once := sync.OnceFunc(func() {
		remove := func(h *rollout.Holding, _ rollout.Instant) error { h.Claims = nil; return nil }
		if err := errors.Join(other.Update(t.Context(), "doc", remove), named(other, "doc", "second life")); err != nil {
			t.Error(err)
		}
	})
	frozen.Freeze(once)
	if err := count(t.Context(), frozen, "doc"); err != nil {
		t.Fatal(err)
	}
	h, err := other.Get(t.Context(), "doc")
	if err != nil || h.Claims[0].Route != "second life" || h.Version != 2 {
		t.Errorf("the second life was overwritten: %+v, %v", h, err)
	}
}

// The same for a record that is removed and not made anew.
func TestRemovedRecordDoesNotComeBack(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	frozen, other := open(t, dsn), open(t, dsn)
	if err := named(other, "doc", "first life"); err != nil {
		t.Fatal(err)
	}
	frozen.Freeze(sync.OnceFunc(func() {
		if err := other.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error { h.Claims = nil; return nil }); err != nil {
			t.Error(err)
		}
	}))
	if err := count(t.Context(), frozen, "doc"); err != nil {
		t.Fatal(err)
	}
	if h, err := other.Get(t.Context(), "doc"); err != nil || h.Claims[0].Route != "" || h.Version != 1 {
		t.Errorf("the first life came back: %+v, %v", h, err)
	}
}

func named(store *postgres.Store, docID, route string) error {
	return store.Update(context.Background(), docID, func(h *rollout.Holding, _ rollout.Instant) error {
		h.Claims = []rollout.Claim{{Intent: intent, Owner: "counter", Route: route}}
		return nil
	})
}

// One gateway learns that Temporal took the start while the other, which thinks
// that it refused it, moves the document to legacy: one of them is told no.
func TestMoveAgainstAttempted(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	a, b := open(t, dsn), open(t, dsn)
	offer(t, a, "a", percent(t, 100))
	wins := map[string]int{}
	for i := range 60 {
		doc := fmt.Sprint("doc-", i)
		grant, err := take(a, doc, intent, "a")
		if err != nil || grant.Step != rollout.StepStart {
			t.Fatalf("%+v, %v", grant, err)
		}
		refused := func(h *rollout.Holding, _ rollout.Instant) error {
			return h.Attempted(intent, grant.Life, rollout.VerdictNothing)
		}
		if err := a.Update(t.Context(), doc, refused); err != nil {
			t.Fatal(err)
		}
		var moved, started error
		var running sync.WaitGroup
		running.Go(func() {
			moved = a.Update(t.Context(), doc, func(h *rollout.Holding, at rollout.Instant) error {
				return h.Move(intent, grant.Life, "a", at)
			})
		})
		running.Go(func() {
			var again rollout.Grant
			if again, started = take(b, doc, intent, "b"); started == nil && again.Step != rollout.StepStart {
				started = rollout.ErrMoved
			}
		})
		running.Wait()
		switch {
		case moved == nil && errors.Is(started, rollout.ErrMoved):
			wins["move"]++
		case errors.Is(moved, rollout.ErrNotFenced) && started == nil:
			wins["attempt"]++
		default:
			t.Fatalf("%s: move %v, attempt %v", doc, moved, started)
		}
	}
	t.Log(wins)
}
