package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sluice/configs"
	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/faults"
	"sluice/temporalpath/ingestion/stores"
)

// OpenStores opens four stores. The directories of SQLite files are made.
func OpenStores(ctx context.Context, dsns stores.DSNs) (stores.Handles, error) {
	for _, dsn := range []string{dsns.Document, dsns.Vector, dsns.Graph, dsns.Cache} {
		path, isFile := strings.CutPrefix(dsn, "sqlite:")
		if !isFile {
			continue
		}
		path, _, _ = strings.Cut(path, "?")
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return nil, fmt.Errorf("directory of a store: %w", err)
		}
	}
	return stores.OpenSet(ctx, dsns)
}

// openStores opens the stores and puts them behind breakers.
func (w *Worker) openStores(ctx context.Context, _ configs.Config) error {
	if w.config.Faults {
		w.faults = &faults.Switch{}
	}
	w.ingestion = ingestion.Config{Observer: w.metrics, Faults: w.faults}
	var err error
	if w.ingestion.Stores, err = w.open(ctx, w.config.Stores, ""); err != nil {
		return fmt.Errorf("worker.stores: %w", err)
	}
	if w.config.ShadowTaskQueue == "" {
		return nil
	}
	if w.ingestion.Shadow, err = w.open(ctx, w.config.ShadowStores, ingestion.ShadowPrefix); err != nil {
		return fmt.Errorf("worker.shadow_stores: %w", err)
	}
	return nil
}

// apart fails if a shadow store is a real one, however its DSN is written.
func (w *Worker) apart() error {
	real, shadow := dsns(w.config.Stores), dsns(w.config.ShadowStores)
	for _, kind := range stores.Kinds() {
		if w.config.ShadowTaskQueue != "" && stores.Same(real.Of(kind), shadow.Of(kind)) {
			return configs.At("worker.shadow_stores."+string(kind),
				fmt.Errorf("is the store of worker.stores.%s, so mirrored runs would write to the real one: name another database, or add ?namespace=shadow", kind))
		}
	}
	return nil
}

func dsns(c configs.Stores) stores.DSNs {
	return stores.DSNs{Document: c.Document, Vector: c.Vector, Graph: c.Graph, Cache: c.Cache}
}

// open opens four stores and puts a breaker in front of each.
func (w *Worker) open(ctx context.Context, c configs.Stores, prefix string) (stores.Set, error) {
	handles, err := OpenStores(ctx, dsns(c))
	if err != nil {
		return stores.Set{}, err
	}
	w.closers = append(w.closers, handles.Close)
	return stores.Guard(handles.Set(), prefix, stores.Breaker{}, w.metrics), nil
}
