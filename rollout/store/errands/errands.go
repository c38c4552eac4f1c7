// Package errands keeps a list of what this machine has sent to legacy without a
// claim, while the claim store was away, until claims are made for it. It is a file
// of JSON Lines: whose it is, what began, what ended.
//
// Invariants:
//   - An errand is in the file before Begin returns, so that it outlives the death
//     of the process, at any instant. It is not on the disk: after a loss of power
//     some may be missing, and then Left.Owners says nothing.
//   - Room for the first Reserved bytes is taken while the disk has some, so that a
//     full disk does not keep errands from being noted; as far as the system can.
//   - One process has the file at a time. The lock ends with the process.
//   - The file holds everything that is not on record, and maybe more: to make a
//     claim of what has one changes nothing.
package errands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"sluice/rollout"
)

// MaxBytes bounds the file: some 200,000 errands.
const MaxBytes = 64 << 20

// Reserved is the room that the file has in any case: for some 25,000 errands.
const Reserved = 8 << 20

// ErrFull says that no more errands can be kept.
var ErrFull = errors.New("too much was sent without a claim since the claim store is away")

// Log is the file. It is safe for concurrent use.
type Log struct {
	owner, boot string
	max         int64

	mu     sync.Mutex
	file   *os.File // guarded by mu
	size   int64    // guarded by mu
	last   uint64   // guarded by mu; the highest number given
	room   bool     // guarded by mu; Reserved is taken
	broken error    // guarded by mu; the file's end is not known
}

// Left is what earlier processes left behind.
type Left struct {
	Errands []rollout.Errand
	// Owners are the names of all that had the file since it was last empty, but
	// for whom it may not hold everything.
	Owners []string
}

// askAgain is how often a waiting process asks for the lock.
const askAgain = 5 * time.Millisecond

// Open waits for the file until ctx ends, makes it if there is none, and returns
// what it holds. From now on it is the owner's.
func Open(ctx context.Context, path, owner string) (*Log, Left, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, Left{}, fmt.Errorf("what was sent without a claim: %w", err)
	}
	l := &Log{owner: owner, boot: bootID(), max: MaxBytes, file: file}
	var left Left
	if err = await(ctx, file); err == nil {
		left, err = l.begin()
	}
	if err != nil {
		return nil, Left{}, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return l, left, nil
}

func await(ctx context.Context, file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another gateway has it, which did not end in time: %w", context.Cause(ctx))
		case <-time.After(askAgain):
		}
	}
}

// begin reads the file and writes whose it is now.
func (l *Log) begin() (Left, error) {
	text, err := io.ReadAll(l.file)
	if err != nil {
		return Left{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	text = text[:bytes.LastIndexByte(text, '\n')+1] // nothing was sent for half a line
	l.size = int64(len(text))
	if info, err := l.file.Stat(); err != nil || info.Size() != l.size { // or the room would be given back
		if err = errors.Join(err, l.file.Truncate(l.size)); err != nil {
			return Left{}, err
		}
	}
	l.reserve()
	var left Left
	left, l.last = l.parse(text)
	return left, l.put(line{Owner: l.owner, Boot: l.boot})
}

// Begin notes an errand that is about to be sent, and returns its number. If it
// fails, with ErrFull or because the disk does, nothing may be sent.
func (l *Log) Begin(e rollout.Errand) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size >= l.max {
		return 0, ErrFull
	}
	if !l.room {
		l.reserve()
	}
	l.last++
	return l.last, l.put(begun(l.last, e))
}

// End notes how the errand ended. Where that fails it will count as lost.
func (l *Log) End(id uint64, answered bool, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.put(line{ID: id, Ended: at.UnixMicro(), Answered: answered})
}

// Clear empties the file: everything in it is on record.
func (l *Log) Clear() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	l.size, l.broken = 0, nil
	l.reserve()
	return l.put(line{Owner: l.owner, Boot: l.boot})
}

// Close gives the file up.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// reserve takes the room if it can be had. l.mu is held.
func (l *Log) reserve() { l.room = reserve(l.file, Reserved) == nil }

// put appends a line. l.mu is held.
func (l *Log) put(entry line) error {
	text, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	return l.write(append(text, '\n'))
}

// write appends all of text or nothing. l.mu is held.
func (l *Log) write(text []byte) error {
	if l.broken != nil {
		return l.broken
	}
	n, err := l.file.Write(text)
	if err != nil {
		if n > 0 {
			l.broken = l.file.Truncate(l.size)
		}
		return err
	}
	l.size += int64(n)
	return nil
}
