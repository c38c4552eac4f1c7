package worker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
