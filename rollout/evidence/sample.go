package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"sluice/rollout"
	"sluice/rollout/compare"
)

// Sample is a comparison that differs, as it is kept.
type Sample struct {
	Route string    `json:"route"`
	DocID string    `json:"doc_id"`
	ID    string    `json:"workflow_id"`
	At    time.Time `json:"at"`
	// Build is that of the worker, where it is known.
	Build       string               `json:"build,omitempty"`
	Class       compare.Class        `json:"class"`
	Differences []compare.Difference `json:"differences"`
	Total       uint64               `json:"differences_total"`
	Primary     Side                 `json:"primary"`
	Shadow      Side                 `json:"shadow"`
}

// Side is one of the answers of a sample.
type Side struct {
	Status int           `json:"status"`
	Took   time.Duration `json:"took_ns"`
	// Body is JSON, or a JSON string of what is not; cut, and without the fields
	// that are redacted.
	Body json.RawMessage `json:"body,omitempty"`
	// Failure is why the workflow ended without a result. Where fields are redacted it
	// is the type alone, for a message may hold what such a field holds.
	Failure string `json:"failure,omitempty"`
}

// By is what answers are compared by, and samples are made with. All fields are needed.
type By struct {
	Comparer *compare.Comparer
	// Redact are fields whose values are neither kept nor logged.
	Redact []compare.Pattern
	// Build returns the build ID of the worker that ran a shadow run; empty if that is
	// not known. It may wait for Temporal, and is asked for samples alone.
	Build func(ctx context.Context, id string) string
}

// sample returns a comparison that differs as it may be kept, with at most so many
// bytes of each body and so many differences.
func (by *By) sample(ctx context.Context, e *rollout.Exchange, found compare.Comparison, bytes, differences int) ([]byte, error) {
	hide := redaction(by.Redact)
	primary, _ := by.Comparer.Plain(e.Primary) // what is not readable is kept as it is
	shadow, _ := by.Comparer.Plain(answerOf(e.Shadow))
	return json.Marshal(Sample{
		Route: e.Route, DocID: e.DocID, ID: e.ID, At: e.At.UTC(), Build: by.Build(ctx, e.ID), Class: found.Class, Total: found.Total,
		Differences: hide.differences(found.Differences[:min(differences, len(found.Differences))]),
		Primary:     Side{Status: e.Primary.Status, Took: e.PrimaryTook, Body: hide.body(primary.Body, bytes)},
		Shadow:      Side{Status: shadow.Status, Took: e.ShadowTook, Body: hide.body(shadow.Body, bytes), Failure: hide.failure(e.Shadow)},
	})
}

// differs reports whether there is something to show of the comparison.
func differs(found compare.Comparison) bool {
	return found.Class == compare.ClassMismatch || found.Class == compare.ClassValidity
}

// signature is the same for comparisons on a route that differ in the same fields.
func signature(route string, found compare.Comparison) string {
	text := route + "\x00" + found.Class.String() + "\x00" + strings.Join(found.Patterns, "\x00")
	return fmt.Sprintf("%016x", xxhash.Sum64String(text))
}
