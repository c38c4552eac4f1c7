package stores_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/temporalpath/ingestion/stores"
)

// notes writes down what it observes.
type notes struct {
	mu     sync.Mutex
	calls  []string // guarded by mu
	states []string // guarded by mu
}

func (n *notes) StoreCall(store, op string, _ time.Duration, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	outcome := "ok"
	if err != nil {
		outcome = "error"
	}
	n.calls = append(n.calls, store+" "+op+" "+outcome)
}

func (n *notes) StoreBreaker(store, state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if store == "shadow_graph" {
		n.states = append(n.states, state)
	}
}

// ending is a store whose calls end as told.
type ending struct{ err error }

func (e *ending) Put(context.Context, stores.Record) error { return e.err }
func (e *ending) Undo(context.Context, stores.Ref) error   { return e.err }

var errDown = errors.New("down")

func guardGraph(graph *ending, observer stores.Observer) stores.Store {
	fine := &ending{}
	set := stores.Set{Document: fine, Vector: fine, Graph: graph, Cache: fine}
	return stores.Guard(set, "shadow_", stores.Breaker{Failures: 3, OpenFor: 20 * time.Millisecond}, observer).Graph
}

func TestBreakerLeavesAFailingStoreAlone(t *testing.T) {
	graph, seen := &ending{err: errDown}, &notes{}
	store := guardGraph(graph, seen)
	for range 3 {
		if err := store.Put(t.Context(), stores.Record{}); !errors.Is(err, errDown) {
			t.Fatalf("a failing store answered %v", err)
		}
	}
	if err := store.Undo(t.Context(), stores.Ref{}); !errors.Is(err, stores.ErrBreakerOpen) || stores.Final(err) {
		t.Errorf("after three failures the answer is %v, want ErrBreakerOpen, not final", err)
	}
	graph.err = nil
	time.Sleep(40 * time.Millisecond)
	if err := store.Undo(t.Context(), stores.Ref{}); err != nil {
		t.Errorf("the store is well again, but the answer is %v", err)
	}
	if want := []string{"closed", "open", "half-open", "closed"}; !slices.Equal(seen.states, want) {
		t.Errorf("states %q, want %q", seen.states, want)
	}
	if want := []string{"shadow_graph put error", "shadow_graph put error", "shadow_graph put error", "shadow_graph undo ok"}; !slices.Equal(seen.calls, want) {
		t.Errorf("calls %q, want %q", seen.calls, want)
	}
}

// What a document or its caller did wrong says nothing about the store.
func TestBreakerIgnoresWhatTheStoreIsNotToBlameFor(t *testing.T) {
	for _, err := range []error{stores.ErrUndone, stores.ErrRef, stores.ErrRefused, context.Canceled} {
		store := guardGraph(&ending{err: err}, &notes{})
		for range 10 {
			if got := store.Put(t.Context(), stores.Record{}); !errors.Is(got, err) {
				t.Fatalf("answer %v, want %v", got, err)
			}
		}
	}
}
