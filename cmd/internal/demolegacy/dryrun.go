package demolegacy

import (
	"context"
	"net/http"

	"sluice/temporalpath/ingestion/stores"
)

// DryRunHeader asks for the answer alone: with "true" nothing is stored.
const DryRunHeader = "X-Dry-Run"

// dry reports whether the request is one whose answer alone is wanted.
func dry(r *http.Request) bool { return r.Header.Get(DryRunHeader) == "true" }

// nowhere is a store that keeps nothing.
type nowhere struct{}

func (nowhere) Put(context.Context, stores.Record) error { return nil }
func (nowhere) Undo(context.Context, stores.Ref) error   { return nil }
