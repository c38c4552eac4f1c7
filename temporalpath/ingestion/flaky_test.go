package ingestion_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
)

var errDown = errors.New("the store is down")

// diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

func (d *diary) add(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.lines...)
}

func (d *diary) Compensated(store string, err error) {
	d.add(fmt.Sprintf("compensated %s: %v", store, err))
}

func (d *diary) DeadLettered(step string) { d.add("dead letter at " + step) }

// flaky is a store with a hook around each call: before decides whether the call
// reaches the store at all, after what the caller is told.
type flaky struct {
	stores.Store
	kind          stores.Kind
	diary         *diary
	before, after func(kind stores.Kind, op string, ref stores.Ref) error
}

func (f flaky) Put(ctx context.Context, rec stores.Record) error {
	return f.around("put", rec.Ref, func() error { return f.Store.Put(ctx, rec) })
}

func (f flaky) Undo(ctx context.Context, ref stores.Ref) error {
	return f.around("undo", ref, func() error { return f.Store.Undo(ctx, ref) })
}

func (f flaky) around(op string, ref stores.Ref, do func() error) error {
	f.diary.add(op + " " + string(f.kind))
	if f.before != nil {
		if err := f.before(f.kind, op, ref); err != nil {
			return err
		}
	}
	err := do()
	if f.after != nil && err == nil {
		return f.after(f.kind, op, ref)
	}
	return err
}

// fail returns a hook that fails one operation of one kind's store, always.
func fail(kind stores.Kind, op string, err error) func(stores.Kind, string, stores.Ref) error {
	return func(k stores.Kind, o string, _ stores.Ref) error {
		if k == kind && o == op {
			return err
		}
		return nil
	}
}

// hooked replaces the real stores of config by flaky ones.
func hooked(config ingestion.Config, d *diary, before, after func(stores.Kind, string, stores.Ref) error) ingestion.Config {
	wrap := func(kind stores.Kind) stores.Store {
		return flaky{Store: config.Stores.Of(kind), kind: kind, diary: d, before: before, after: after}
	}
	config.Stores = stores.Set{
		Document: wrap(stores.Document), Vector: wrap(stores.Vector),
		Graph: wrap(stores.Graph), Cache: wrap(stores.Cache),
	}
	config.Observer = d
	return config
}
