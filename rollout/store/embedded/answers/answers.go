// Package answers keeps legacy's answers of one gateway in a directory, so that a
// retry can be answered without asking legacy again.
//
// The answers stand in files, the segments, in the order they came; only the
// newest, the head, is written to. Each segment has an index in memory. Files go
// as a whole, oldest first, when their last answer is old enough, or when all of
// them together have become too large.
//
// Invariants:
//   - What KeepAnswer stored is in the page cache before it returns, so the death
//     of the process loses nothing. With Sync it is on the disk.
//   - A record that a dying process had begun is no record: its checksum is wrong,
//     and nothing is ever written after it.
//   - An answer is found as a whole or not at all.
//
// Whoever opens the directory must be alone with it: a gateway opens it under the
// lock of its claims.
package answers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Config says where the answers are and for how long. Dir and Keep are needed.
type Config struct {
	// Dir is made if it is not there. Nothing else may be in it.
	Dir string
	// Keep is how long an answer is kept at least. It is gone at most a quarter
	// of that later.
	Keep time.Duration
	// Budget bounds the bytes of all answers on the disk; 0 means 1 GiB. Beyond
	// it the oldest go before their time.
	Budget int64
	// Most bounds their number, and so the memory of the index, which takes about
	// 60 bytes for each; 0 means a million.
	Most int
	// Sync makes KeepAnswer wait for the disk.
	Sync bool
	// Log may be nil.
	Log *zap.Logger
}

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("the answers are closed")

// Store is the answers of one gateway. It is safe for concurrent use.
type Store struct {
	config  Config
	size    int64 // of a segment, in bytes
	stop    chan struct{}
	swept   chan struct{} // closed when the sweeper has ended
	closing sync.Once

	mu       sync.RWMutex
	segments []*segment // guarded by mu; the oldest first
	head     *segment   // guarded by mu; the last of them, or nil
	next     uint32     // guarded by mu; the next segment's number
	closed   bool       // guarded by mu
}

// Open reads what is in the directory.
func Open(c Config) (*Store, error) {
	if c.Dir == "" || c.Keep <= 0 || c.Budget < 0 || c.Most < 0 {
		return nil, errors.New("the answers need a directory and a time to be kept")
	}
	if c.Budget == 0 {
		c.Budget = 1 << 30
	}
	if c.Most == 0 {
		c.Most = 1_000_000
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the answers: %w", err)
	}
	s := &Store{config: c, size: min(8<<20, max(c.Budget/8, 1)), next: 1, stop: make(chan struct{}), swept: make(chan struct{})}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("the answers cannot be read: %w", err), s.closeFiles())
	}
	go s.sweep()
	return s, nil
}

// KeepAnswer stores the answer. One that is there already is replaced.
func (s *Store) KeepAnswer(_ context.Context, key rollout.AnswerKey, answer *rollout.Answer) error {
	now := time.Now()
	record := newRecord(key.Sum(), now, rollout.AppendAnswer(nil, answer))
	s.mu.Lock()
	g, err := s.append(key.Sum(), record, now)
	s.mu.Unlock()
	if err == nil && s.config.Sync {
		err = g.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("an answer cannot be kept: %w", err)
	}
	return nil
}

// KeptAnswer returns the answer; false if there is none, or none any more.
func (s *Store) KeptAnswer(_ context.Context, key rollout.AnswerKey) (rollout.Answer, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return rollout.Answer{}, false, ErrClosed
	}
	for _, g := range slices.Backward(s.segments) {
		at, found := g.index[key.Sum()]
		if !found {
			continue
		}
		body, err := g.read(key.Sum(), at)
		if err != nil {
			return rollout.Answer{}, false, err
		}
		answer, err := rollout.ParseAnswer(body)
		return answer, err == nil, err
	}
	return rollout.Answer{}, false, nil
}

// append needs mu.
func (s *Store) append(key [keySize]byte, record []byte, now time.Time) (*segment, error) {
	switch {
	case s.closed:
		return nil, ErrClosed
	case int64(len(record)) > s.config.Budget:
		return nil, errors.New("it is larger than all answers may be together")
	}
	if g := s.head; g == nil || g.used > 0 && g.used+int64(len(record)) > s.size || now.Sub(g.begun) > s.config.Keep/8 {
		if err := s.turn(now); err != nil {
			return nil, err
		}
	}
	if err := s.makeRoom(int64(len(record))); err != nil {
		return nil, err
	}
	return s.head, s.head.append(key, record, now)
}

// turn begins a new head. It needs mu.
func (s *Store) turn(now time.Time) error {
	g, err := newSegment(s.config.Dir, s.next, now)
	if err != nil {
		return err
	}
	if s.config.Sync {
		if err := syncDir(s.config.Dir); err != nil {
			return errors.Join(err, g.remove())
		}
	}
	s.next++
	s.head, s.segments = g, append(s.segments, g)
	return nil
}

// Close closes the files. What is stored stays.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.stop) })
	<-s.swept
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.closeFiles()
}

// closeFiles needs mu.
func (s *Store) closeFiles() error {
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.file.Close())
	}
	s.segments, s.head = nil, nil
	return errors.Join(errs...)
}
