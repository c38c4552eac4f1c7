// Package storetest checks implementations of stores.Store against its
// contract. A store of your own passes it like this:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject { return openMine(t) })
//	}
//
// Every check works on documents of its own, so one store serves them all.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/temporalpath/ingestion/stores"
)

// Subject is a store under test: what ingestions call, and the one way to see
// what came of it.
type Subject interface {
	stores.Store
	// Get returns a document's visible record, or stores.ErrNotFound.
	Get(ctx context.Context, docID string) (stores.Record, error)
}

// Check is one clause of the contract.
type Check struct {
	// Name says what is promised.
	Name string
	// Run returns how the subject breaks the promise, nil if it keeps it.
	Run func(ctx context.Context, subject Subject) error
}

// checkTimeout bounds one check, so that a store that hangs fails by name.
const checkTimeout = time.Minute

// Run runs all checks on the store that open returns.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	subject := open(t)
	for _, check := range Checks() {
		t.Run(check.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), checkTimeout)
			defer cancel()
			if err := check.Run(ctx, subject); err != nil {
				t.Error(err)
			}
		})
	}
}

// Checks returns every clause, the simple ones first.
func Checks() []Check {
	var all []Check
	all = append(all, putChecks()...)
	all = append(all, undoChecks()...)
	return append(all, concurrencyChecks()...)
}

// script is one document's calls, in order; the first surprise ends it.
type script struct {
	ctx     context.Context
	subject Subject
	doc     string
	err     error
}

// on begins a script on a document of its own.
func on(ctx context.Context, subject Subject, doc string) *script {
	return &script{ctx: ctx, subject: subject, doc: doc}
}

func (s *script) ref(intent string, sequence int64) stores.Ref {
	return stores.Ref{DocID: s.doc, Intent: intent, Sequence: sequence}
}

// content is what every script stores for a write, so that it can be known again.
func content(ref stores.Ref) []byte {
	return fmt.Appendf(nil, `{"of":%q,"by":%q,"at":%d}`, ref.DocID, ref.Intent, ref.Sequence)
}

func (s *script) fail(format string, args ...any) *script {
	if s.err == nil {
		s.err = fmt.Errorf("document %.40q: %w", s.doc, fmt.Errorf(format, args...))
	}
	return s
}

func (s *script) put(intent string, sequence int64) *script {
	if s.err != nil {
		return s
	}
	ref := s.ref(intent, sequence)
	if err := s.subject.Put(s.ctx, stores.Record{Ref: ref, Data: content(ref)}); err != nil {
		return s.fail("put %s/%d: %w", intent, sequence, err)
	}
	return s
}

// refusedPut is a Put that must end with want.
func (s *script) refusedPut(intent string, sequence int64, want error) *script {
	if s.err != nil {
		return s
	}
	ref := s.ref(intent, sequence)
	if err := s.subject.Put(s.ctx, stores.Record{Ref: ref, Data: content(ref)}); !errors.Is(err, want) {
		return s.fail("put %s/%d answered %v, want %v", intent, sequence, err, want)
	}
	return s
}

func (s *script) undo(intent string, sequence int64) *script {
	if s.err != nil {
		return s
	}
	if err := s.subject.Undo(s.ctx, s.ref(intent, sequence)); err != nil {
		return s.fail("undo %s/%d: %w", intent, sequence, err)
	}
	return s
}

// sees expects the write to be the visible one, with its own content.
func (s *script) sees(intent string, sequence int64) *script {
	if s.err != nil {
		return s
	}
	got, err := s.subject.Get(s.ctx, s.doc)
	if err != nil {
		return s.fail("get: %w; want the write %s/%d", err, intent, sequence)
	}
	want := s.ref(intent, sequence)
	if got.Ref != want {
		return s.fail("the visible write is %s/%d, want %s/%d", got.Intent, got.Sequence, intent, sequence)
	}
	if !bytes.Equal(got.Data, content(want)) {
		return s.fail("the data of %s/%d is %q, want %q", intent, sequence, got.Data, content(want))
	}
	return s
}

// seesNothing expects that the document has no record.
func (s *script) seesNothing() *script {
	if s.err != nil {
		return s
	}
	if got, err := s.subject.Get(s.ctx, s.doc); !errors.Is(err, stores.ErrNotFound) {
		return s.fail("get answered the write %s/%d and error %v, want ErrNotFound", got.Intent, got.Sequence, err)
	}
	return s
}
