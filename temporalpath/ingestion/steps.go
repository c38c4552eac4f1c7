package ingestion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sluice/temporalpath/ingestion/faults"
	"sluice/temporalpath/ingestion/stores"
)

// Config is what an ingestion needs.
type Config struct {
	// Stores are written by ordinary runs, Shadow by shadow runs. A set is whole,
	// or empty, which refuses such runs, and not both are empty; no store may be in
	// both.
	Stores, Shadow stores.Set
	// Policy says how often and how long things are tried.
	Policy Policy
	// Observer learns of compensations and dead letters; may be nil.
	Observer Observer
	// Faults makes the ingestion go bad for demonstration; may be nil.
	Faults *faults.Switch
}

// Observer learns what ingestions do beside succeeding. It is called by many
// goroutines, must not block and cannot fail.
type Observer interface {
	// Compensated reports one attempt to undo a step; store is the kind, with
	// ShadowPrefix for a shadow store.
	Compensated(store string, err error)
	// DeadLettered reports a document whose step failed for good and was not
	// undone everywhere, shadow runs aside. A crash may make it report one twice.
	DeadLettered(step string)
}

// unobserved is the Observer of those who want none.
type unobserved struct{}

func (unobserved) Compensated(string, error) {}
func (unobserved) DeadLettered(string)       {}

// Steps is the work of an ingestion, without anything that repeats or undoes it.
type Steps struct {
	stores, shadow stores.Set
	policy         Policy
	observer       Observer
	faults         *faults.Switch
}

// NewSteps fails if config lacks a store, and names those that are missing.
func NewSteps(config Config) (*Steps, error) {
	real, shadow := config.Stores.Check(), config.Shadow.Check()
	if real != nil && (!config.Stores.Empty() || config.Shadow.Empty()) {
		return nil, fmt.Errorf("ingestion: %w", real)
	}
	if shadow != nil && !config.Shadow.Empty() {
		return nil, fmt.Errorf("ingestion of shadow runs: %w", shadow)
	}
	steps := &Steps{
		stores: config.Stores, shadow: config.Shadow,
		policy: config.Policy.filled(), observer: config.Observer, faults: config.Faults,
	}
	if steps.observer == nil {
		steps.observer = unobserved{}
	}
	return steps, nil
}

// of returns the store of a kind, the real or the shadow one.
func (s *Steps) of(kind stores.Kind, shadow bool) (stores.Store, error) {
	set := s.stores
	if shadow {
		set = s.shadow
	}
	if store := set.Of(kind); store != nil {
		return store, nil
	}
	return nil, fmt.Errorf("%w: there is no %s store", misplaced(shadow), kind)
}

var (
	errNoShadows   = errors.New("this worker takes no shadow runs: its task queue is for real documents")
	errShadowsOnly = errors.New("this worker takes shadow runs only: its task queue is not for real documents")
)

// misplaced is why a run is refused for which there are no stores.
func misplaced(shadow bool) error {
	if shadow {
		return errNoShadows
	}
	return errShadowsOnly
}

// check returns the result so far, or ErrInvalidDocument. A run for which there
// are no stores ends here.
func (s *Steps) check(job Job) (Result, error) {
	if _, err := s.of(stores.Document, job.Input.Shadow); err != nil {
		return Result{}, err
	}
	doc, err := parse(&job.Input)
	if err != nil {
		return Result{}, err
	}
	result := Result{DocID: doc.id, Status: "ingested", Checksum: checksum(doc.body)}
	if s.faults.Differs(doc.id) {
		result.Checksum = checksum([]byte(result.Checksum))
	}
	return result, nil
}

// store computes and writes one kind's record, and returns the result with the
// step's share. It calls beat while it is at it.
func (s *Steps) store(ctx context.Context, kind stores.Kind, job Job, result Result, beat func()) (Result, error) {
	store, err := s.of(kind, job.Input.Shadow)
	if err != nil {
		return result, err
	}
	doc, err := parse(&job.Input)
	if err != nil {
		return result, err
	}
	content, err := s.content(ctx, kind, doc, &result, beat)
	if err != nil {
		return result, err
	}
	data, err := json.Marshal(content)
	if err != nil {
		return result, fmt.Errorf("encode the %s record of document %q: %w", kind, doc.id, err)
	}
	return result, store.Put(ctx, stores.Record{Ref: job.ref(), Data: data})
}

// content computes what the kind's store keeps, and its share of the result.
func (s *Steps) content(ctx context.Context, kind stores.Kind, doc document, result *Result, beat func()) (any, error) {
	switch kind {
	case stores.Document:
		return DocumentData{ContentType: doc.contentType, Body: doc.body}, nil
	case stores.Vector:
		if err := s.faults.Delay(ctx, beat); err != nil {
			return nil, err
		}
		vectors, err := vectorsOf(ctx, doc.text, beat)
		result.Chunks = len(vectors.Chunks)
		return vectors, err
	case stores.Graph:
		if s.faults.Fails(doc.id) {
			return nil, errInjected
		}
		graph := graphOf(doc)
		result.Entities = len(graph.Entities) + len(graph.Links)
		return graph, nil
	case stores.Cache:
		return CacheData{Result: *result, Summary: summary(doc.text)}, nil
	}
	return nil, errors.New("unknown kind of store " + string(kind))
}

// undo makes sure that one step's write is gone.
func (s *Steps) undo(ctx context.Context, undo Undo) error {
	store, err := s.of(undo.Kind, undo.Shadow)
	if err == nil {
		err = store.Undo(ctx, undo.Ref)
	}
	s.observer.Compensated(undo.storeName(), err)
	return err
}
