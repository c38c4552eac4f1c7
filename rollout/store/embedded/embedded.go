// Package embedded keeps the claims of one gateway in a directory of its own.
//
// A holding is a record in a log; the log is a row of segments: files of a fixed
// size, allocated in advance and mapped into memory. Appending is a copy into the
// newest, the head. An index in memory says where each document's newest record
// is. The sweeper, one goroutine, forgets what has expired and takes the oldest
// segment away again and again, after it has copied to the head what still counts.
//
//	segment 7          segment 8          segment 9 (head)
//	[. a . . b . end]  [c . d e . f end]  [g a' h ........ 0 0 0 0]
//	 ▲ oldest: live records are copied to the head, then the file goes
//
// Invariants:
//   - The newest record of a document in log order is its holding; a record
//     without claims says that there is none.
//   - What Update stored is in the page cache before it returns, so the death of
//     the process loses nothing. With Sync it is on the disk.
//   - A record's header is one aligned word that is written last, so a record that
//     a dying process had begun is no record.
//   - Segments go oldest first. So no record comes back whose successor went
//     before it, and a record without claims is needed no longer than its segment.
//   - Every segment but the head ends with an end mark; after Close the head has
//     one too. What is missing is therefore noticed.
//   - An entry of the index points to a sound record, and a segment is taken away
//     only after no entry points into it.
//   - Memory and disk agree: what could not be stored is in neither.
//   - The books are what the log says: those that a segment begins with, and the
//     changes after them. So they are stored with the claims, to the letter. The same
//     goes for the totals of what changes count.
//
// Locks are taken in this order: shard.mu, journal.syncing, journal.mu.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Config says where the claims are, and how they are kept.
type Config struct {
	// Dir is the directory; it is made if it is not there. Nothing else may be
	// in it.
	Dir string
	// Horizon is how long a settled claim is kept.
	Horizon time.Duration
	// Policy returns the policy in force, but for the plan of the last ruling: a
	// higher one is lowered to that.
	Policy func() *rollout.Policy
	// Brake returns the gateway's brake, which rulings are told of; nil: released.
	Brake func() *rollout.Brake
	// Marked: no exposure above Store.Mark comes into force until Store.Raise. What the
	// mark says is of one Migration, the salt of the split.
	Marked    bool
	Migration string
	// Sync makes Update wait until the disk has it. Otherwise a loss of power may
	// cost claims, and then Store.PowerLost says so.
	Sync bool
	// Log may be nil.
	Log *zap.Logger
	// SegmentBytes is the size of a segment; 0 means 16 MiB.
	SegmentBytes int
}

const segmentBytes = 16 << 20

// shards is how many ways the index is split; a power of two.
const (
	shards    = 1 << shardBits
	shardBits = 10
)

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("the claims are closed")

// Store is the claims of one gateway. It is safe for concurrent use.
type Store struct {
	config  Config
	lock    *os.File
	seed    maphash.Seed
	shards  [shards]shard
	journal *journal
	brought rollout.Books // what the books said when this process began
	desk    desk
	lowered atomic.Pointer[lowered]
	mark    atomic.Uint32 // as Mark says
	// onTemporal: recovery has found a claim that is or was there.
	onTemporal bool

	closing atomic.Bool
	stop    chan struct{}
	swept   chan struct{} // closed when the sweeper has ended

	mu    sync.Mutex
	state state // guarded by mu; what the state file says
}

// Open waits for the directory's lock until ctx ends, so that a gateway takes
// over from the one that it replaces, and reads what is there.
//
// After a loss of power it succeeds with what is left; see Store.PowerLost.
// Otherwise damage is an error, and nothing is changed.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Horizon <= 0 || c.Policy == nil {
		return nil, errors.New("the claims need a horizon and a policy")
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = segmentBytes
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the claims: %w", err)
	}
	lock, err := lockDir(ctx, c.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{config: c, lock: lock, seed: maphash.MakeSeed(), stop: make(chan struct{}), swept: make(chan struct{})}
	if err := s.begin(); err != nil {
		if s.journal != nil {
			s.journal.unmap()
		}
		return nil, errors.Join(err, lock.Close())
	}
	go s.sweep()
	return s, nil
}

// begin reads the directory and marks it as in use.
func (s *Store) begin() error {
	last, err := loadState(s.config.Dir)
	if err != nil {
		return err
	}
	boot := bootID()
	crashed := !last.Clean && (boot == "" || last.Boot != boot)
	if err := s.desk.open(s.config.Dir, s.config.Sync); err != nil {
		return err
	}
	s.journal = newJournal(s.config, last.Salt)
	if err := s.bringBooks(last); err != nil {
		return err
	}
	damaged, err := s.recover(last.Clean, crashed)
	if err != nil {
		return err
	}
	s.state = state{Salt: last.Salt, Boot: boot, Sync: s.config.Sync, Lost: last.Lost || crashed && (damaged || !last.Sync), Books: last.Books, Counts: last.Counts}
	s.state.Mark = s.openMark(last, crashed)
	if err := s.openBooks(crashed); err != nil {
		return err
	}
	s.desk.now.taken.lower(&s.journal.totals)
	if s.state.Lost {
		s.config.Log.Warn("claims may be missing after a loss of power, until they are rebuilt", zap.String("dir", s.config.Dir))
	}
	if s.config.Sync || damaged { // what was only in memory, and repairs
		if err := s.journal.syncAll(); err != nil {
			return err
		}
	}
	return s.keepState(last)
}

// PowerLost reports whether claims may be missing, or older than they were,
// because the machine stopped before it had written them. It stays true, over
// restarts too, until Rebuilt.
func (s *Store) PowerLost() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Lost
}

// Rebuilt notes that the claims are complete again.
func (s *Store) Rebuilt() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.state
	next.Lost = false
	if err := next.save(s.config.Dir); err != nil {
		return err
	}
	s.state = next
	return nil
}

// Close writes everything to the disk and unlocks the directory. Updates that
// come later fail with ErrClosed.
func (s *Store) Close() error {
	if s.closing.Swap(true) {
		return nil
	}
	close(s.stop)
	<-s.swept
	s.desk.close()
	for i := range s.shards {
		s.shards[i].close()
	}
	err := s.journal.close()
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.state.Clean = true
		err = s.state.save(s.config.Dir)
	}
	return errors.Join(err, s.lock.Close())
}
