package stores

import (
	"context"
	"time"
)

// Observer learns what happens to stores. It is called by many goroutines, must
// not block and cannot fail. Names of stores are those given to Guard.
type Observer interface {
	// StoreCall reports one call of a store: op is "put" or "undo", err what it
	// returned. Calls that an open breaker refused are not among them.
	StoreCall(store, op string, took time.Duration, err error)
	// StoreBreaker reports the state that a store's breaker is in from now on:
	// "closed", "half-open" or "open". It is called once at the start.
	StoreBreaker(store, state string)
}

// The operations that an Observer hears of.
const (
	OpPut  = "put"
	OpUndo = "undo"
)

// observed is a store that reports its calls.
type observed struct {
	inner    Store
	name     string
	observer Observer
}

func (o observed) Put(ctx context.Context, rec Record) error {
	begun := time.Now()
	err := o.inner.Put(ctx, rec)
	o.observer.StoreCall(o.name, OpPut, time.Since(begun), err)
	return err
}

func (o observed) Undo(ctx context.Context, ref Ref) error {
	begun := time.Now()
	err := o.inner.Undo(ctx, ref)
	o.observer.StoreCall(o.name, OpUndo, time.Since(begun), err)
	return err
}
