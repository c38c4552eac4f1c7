// Package stores holds what an ingestion writes: four stores, one for each kind
// of record that a document leaves behind.
//
// Every write has a name of its own, its [Ref], and a store remembers per
// document which writes happened. A write is in one of three states:
//
//	absent   --Put-->   present     the record counts
//	present  --Put-->   present     a repeat changes nothing
//	present  --Undo-->  undone      the record is gone
//	absent   --Undo-->  undone      a Put still under way will find this
//	undone   --Undo-->  undone
//	undone   --Put-->   undone      the answer is ErrUndone
//
// A document's visible record is the present write of the highest sequence (of
// equal sequences: of the greater intent, byte by byte). All else follows from
// these two rules, whatever the order and the number of attempts in which the
// calls arrive:
//
//   - An older write never hides a newer one, even if it comes later.
//   - An undo removes its own write only. If a newer one is visible it stays;
//     if the undone one was visible, the one before it, which somebody was told
//     is stored, is visible again.
//   - An attempt that was given up, ran on and arrives after its undo changes
//     nothing: undone is final, and it is per write. A later life of the same
//     intent has a higher sequence, hence writes of its own.
//
// Undone writes keep their name, not their data. Their marks, and writes that a
// newer one has hidden, are forgotten after the retention ([DefaultRetention]),
// which must outlast the longest ingestion.
package stores

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// DefaultRetention is how long a store remembers undone and hidden writes
// unless its DSN says otherwise.
const DefaultRetention = 24 * time.Hour

// Kind names one of the four stores. It is also the step that writes to it.
type Kind string

// The kinds, in the order in which an ingestion writes to them.
const (
	Document Kind = "document" // the document itself
	Vector   Kind = "vector"   // its chunks and their embeddings
	Graph    Kind = "graph"    // its entities and links
	Cache    Kind = "cache"    // the answer that readers get fast
)

// Kinds returns the four kinds in the order in which an ingestion writes.
func Kinds() []Kind { return []Kind{Document, Vector, Graph, Cache} }

// Ref names one write: the attempt of one life of an intent to store a record.
type Ref struct {
	// DocID is the document's key, not empty; any bytes.
	DocID string `json:"doc_id"`
	// Intent is the wish that the write belongs to, not empty; any bytes.
	Intent string `json:"intent"`
	// Sequence orders the writes of a document, above 0. Ingestions use the
	// time they began, in nanoseconds since 1970.
	Sequence int64 `json:"sequence"`
}

// Record is a write and what it stores.
type Record struct {
	Ref
	// Data is kept as it is. An ingestion stores JSON.
	Data []byte
}

var (
	// ErrUndone says that a Put came after its own Undo. It is final.
	ErrUndone = errors.New("this write has been undone; only a later life of its intent can store the document")
	// ErrRef says that a Ref lacks a part. It is final.
	ErrRef = errors.New("a write needs a doc_id, an intent and a sequence above 0")
	// ErrRefused says that the store will never take this record, whatever the
	// number of attempts: a store of your own wraps it. It is final.
	ErrRefused = errors.New("the store refuses this record for good")
	// ErrNotFound says that a document has no visible record.
	ErrNotFound = errors.New("no such document in this store")
)

// Final reports whether repeating the call that failed with err is pointless.
func Final(err error) bool {
	return errors.Is(err, ErrUndone) || errors.Is(err, ErrRef) || errors.Is(err, ErrRefused)
}

// Store is what an ingestion needs of a store. Calls may be concurrent, may be
// repeated, and may arrive after their caller has given them up. The suite in
// storetest checks an implementation against this contract.
type Store interface {
	// Put makes rec durable before it returns nil; nil does not say that rec is
	// visible, a newer write may be. It fails with ErrUndone after an Undo of
	// the same Ref, with ErrRef, with ErrRefused, or with an error that is worth
	// repeating; then the write may or may not have happened.
	Put(ctx context.Context, rec Record) error
	// Undo makes it durable, before it returns nil, that the write ref is gone
	// and cannot happen any more, whether or not it ever happened. It touches
	// no other write. It fails with ErrRef, or with an error that is worth
	// repeating; then the undo may or may not have happened.
	Undo(ctx context.Context, ref Ref) error
}

// Reader looks into a store. Ingestions never read; services and tests do.
type Reader interface {
	// Get returns a document's visible record, or ErrNotFound.
	Get(ctx context.Context, docID string) (Record, error)
	// Count returns how many documents have a visible record. It may read the
	// whole store.
	Count(ctx context.Context) (int, error)
}

// Handle is a store as Open returns it.
type Handle interface {
	Store
	Reader
	io.Closer
}

// check returns ErrRef, with the part that is missing, unless ref is complete.
func (ref Ref) check() error {
	switch {
	case ref.DocID == "":
		return fmt.Errorf("empty doc_id: %w", ErrRef)
	case ref.Intent == "":
		return fmt.Errorf("document %q has an empty intent: %w", ref.DocID, ErrRef)
	case ref.Sequence <= 0:
		return fmt.Errorf("document %q has sequence %d: %w", ref.DocID, ref.Sequence, ErrRef)
	}
	return nil
}
