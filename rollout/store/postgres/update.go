package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"

	"sluice/rollout"
)

// key is what a document is stored under.
type key [16]byte

func keyOf(docID string) key {
	sum := sha256.Sum256([]byte(docID))
	return key(sum[:16])
}

// ticket is one Update under way.
type ticket struct {
	docID  string
	key    key
	change func(*rollout.Holding, rollout.Instant) error
	done   chan struct{} // closed once err and panicked are set

	err      error
	panicked any

	mu    sync.Mutex
	began bool // guarded by mu: change has been called
	gone  bool // guarded by mu: the caller has left, change must not be called
}

// Update makes one atomic change of a document's holding, and returns nil once it
// is committed. It reads the holding (an empty one of Version 0 if nothing is
// stored), calls change with a private copy, and stores what change made of it,
// with Version + 1; it removes the record if no claims are left, and writes nothing
// if nothing was changed. change may be called several times, by one goroutine at
// a time, and not after Update has returned. If it fails nothing is stored and
// Update returns its error as it is.
//
// The policy and the clock that change is told are the database's; the change
// commits only while that policy is in force, and within Timeout of that time.
//
// If ctx ends Update returns at once: with the context's error if the change has
// not begun (nothing is stored, nor will be), else with ErrUnknown besides.
// Otherwise it fails as the package's errors say.
func (s *Store) Update(ctx context.Context, docID string, change func(h *rollout.Holding, at rollout.Instant) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	t := &ticket{docID: docID, key: keyOf(docID), change: change, done: make(chan struct{})}
	l := s.lanes[int(t.key[0])%len(s.lanes)]
	select {
	case l.in <- t:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stop.Done():
		return ErrClosed
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		if err := t.leave(ctx.Err()); err != nil {
			return err
		}
	}
	if t.panicked != nil {
		panic(t.panicked)
	}
	return t.err
}

// usable returns why no exchange with the database should begin, or nil.
func (s *Store) usable(ctx context.Context) error {
	if s.stop.Err() != nil {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.ready.check()
}

// leave gives the ticket up, unless it is answered already: then it returns nil.
func (t *ticket) leave(why error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.done:
		return nil
	default:
	}
	t.gone = true
	if t.began {
		return fmt.Errorf("%w: %w", ErrUnknown, why)
	}
	return why
}

// run calls change. It reports whether it did: not if the caller has left.
func (t *ticket) run(h *rollout.Holding, at rollout.Instant) (called bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone || t.panicked != nil {
		return false, nil
	}
	t.began = true
	defer func() {
		// It is the caller's, whose server recovers; it must not end the process.
		if t.panicked = recover(); t.panicked != nil {
			called, err = false, nil
		}
	}()
	return true, t.change(h, at)
}

func (t *ticket) answer(err error) {
	t.err = err
	close(t.done)
}
