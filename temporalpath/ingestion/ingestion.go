// Package ingestion is the demonstration's ingestion of a document: the steps,
// the saga that holds them together, and the workflow and the plain function
// that run that saga with and without Temporal.
//
// A document is checked, then written to four stores, one step each. The undo
// of a step is noted before the step begins, because a step that timed out may
// have happened:
//
//	check -> document -> vector -> graph -> cache -> ingested
//	  |         |          |         |        |
//	  |         +-- a step fails for good ----+--> undo the steps begun,
//	  |                                            the last one first
//	  v                                             |               |
//	InvalidDocument                          all undone      an undo gave up
//	(nothing written)                               |               |
//	                                                v               v
//	                                      IngestionFailed      DeadLetter
//
// Invariants:
//   - A run that ends as ingested has written to all four stores; one that ends
//     as InvalidDocument or IngestionFailed has left nothing of its own behind;
//     a DeadLetter names the stores in which something may be left.
//   - The undos go on past one that fails, and are not stopped by a cancellation.
//   - Each step writes under the same [stores.Ref] however often it is tried: the
//     intent, and the time the run began as the sequence. So a repeat changes
//     nothing, and an attempt that arrives after its undo is refused.
//   - The result depends on the document alone, not on the path that it took.
//   - A shadow run writes to the shadow stores only, and no document is lost with
//     it: one that gives up is not counted as a dead letter.
//   - A worker that has no stores for a run refuses it before the first step.
//
// A run that was undone stays undone: resetting its workflow makes its steps
// fail with stores.ErrUndone. To drive a dead letter again, start a new life of
// the intent; its higher sequence also covers whatever the dead one left behind.
// Sequences are as good as the clocks of the Temporal servers: two lives begun
// within their skew of each other may stand in the wrong order.
package ingestion

import (
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// ShadowPrefix is put before a store's name where the shadow stores are meant.
const ShadowPrefix = "shadow_"

// Job is one run's document, as every step gets it.
type Job struct {
	Input wire.Input `json:"input"`
	// Sequence is the time the run began, in nanoseconds since 1970: for a start
	// that was held back, the time of its first workflow task.
	Sequence int64 `json:"sequence"`
}

// ref names the run's write, the same in all four stores.
func (j Job) ref() stores.Ref {
	return stores.Ref{DocID: j.Input.DocID, Intent: j.Input.Intent, Sequence: j.Sequence}
}

// Result is what a successful ingestion answers. Each step adds its share.
type Result struct {
	DocID string `json:"doc_id"`
	// Status is always "ingested".
	Status string `json:"status"`
	// Chunks counts the pieces of text that have an embedding.
	Chunks int `json:"chunks"`
	// Entities counts the nodes of the graph, names and links.
	Entities int `json:"entities"`
	// Checksum is the SHA-256 of the document's canonical JSON, hexadecimal.
	Checksum string `json:"checksum"`
}

// Answer is the workflow's result in the form of a wire.Answer.
type Answer struct {
	Status int    `json:"status"`
	Body   Result `json:"body"`
}

// Undo is the work of undoing one step.
type Undo struct {
	Kind stores.Kind `json:"store"`
	Ref  stores.Ref  `json:"ref"`
	// Shadow says that the shadow stores are meant.
	Shadow bool `json:"shadow"`
}

// storeName is how the store is called in metrics and failures.
func (u Undo) storeName() string {
	if u.Shadow {
		return ShadowPrefix + string(u.Kind)
	}
	return string(u.Kind)
}
