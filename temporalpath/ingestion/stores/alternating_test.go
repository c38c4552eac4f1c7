package stores_test

import (
	"context"
	"sync/atomic"

	"sluice/temporalpath/ingestion/stores"
)

// alternating sends every other call to the other of two handles of one store.
type alternating struct {
	one, two stores.Handle
	calls    atomic.Int64
}

func (a *alternating) next() stores.Handle {
	if a.calls.Add(1)%2 == 0 {
		return a.two
	}
	return a.one
}

func (a *alternating) Put(ctx context.Context, rec stores.Record) error {
	return a.next().Put(ctx, rec)
}

func (a *alternating) Undo(ctx context.Context, ref stores.Ref) error {
	return a.next().Undo(ctx, ref)
}

func (a *alternating) Get(ctx context.Context, docID string) (stores.Record, error) {
	return a.next().Get(ctx, docID)
}
