// Package logging lets a process write its log without ever waiting for whoever reads
// it.
//
// Invariants:
//   - Write neither blocks nor fails. One goroutine writes to the output; while that
//     stands still, or fails, lines wait, up to a bound, and then they are dropped and
//     counted. What waits longest is kept: it tells how it began.
//   - Lines are never cut, and never change their order.
//   - Close and Sync return once all is written that was accepted before, and after a
//     bound if the output stands still.
//
// What the Go runtime itself writes, a panic's trace, does not come through here.
package logging

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

const (
	// DefaultLimit is what waits at the most, in bytes: some thousand lines.
	DefaultLimit = 1 << 20
	// flushLimit bounds Sync and Close.
	flushLimit = 5 * time.Second
)

// ErrStalled says that the output does not take what was written, or not in time.
var ErrStalled = errors.New("nobody reads the log: what was left of it is lost")

// Buffer is an output that nobody has to wait for. It is safe for concurrent use.
type Buffer struct {
	out   io.Writer
	limit int
	flush time.Duration

	mu       sync.Mutex
	changed  sync.Cond // of mu: pending, done or closed
	pending  []byte    // guarded by mu; whole lines that wait
	underWay int       // guarded by mu; bytes that are being written
	accepted uint64    // guarded by mu; bytes ever
	done     uint64    // guarded by mu; bytes of accepted that were written, or lost
	dropped  uint64    // guarded by mu; lines
	onLost   func(lines uint64)
	closed   bool // guarded by mu

	told uint64 // owned by run; lines of dropped that onLost was told of
	open bool   // owned by run; the output's last line has no end
}

// NewBuffer returns a buffer before out that holds DefaultLimit bytes. Close ends it.
func NewBuffer(out io.Writer) *Buffer { return newBuffer(out, DefaultLimit, flushLimit) }

func newBuffer(out io.Writer, limit int, flush time.Duration) *Buffer {
	b := &Buffer{out: out, limit: limit, flush: flush}
	b.changed.L = &b.mu
	go b.run()
	return b
}

// OnLost makes the buffer call report, once it has written something again, with how
// many lines were dropped since it last did. report may write to the buffer.
func (b *Buffer) OnLost(report func(lines uint64)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.onLost = report
}

// Dropped returns how many lines were lost so far.
func (b *Buffer) Dropped() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}

// Write takes whole lines, or drops them. It always returns len(p) and nil.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.pending)+b.underWay+len(p) > b.limit {
		b.dropped += lines(p)
		return len(p), nil
	}
	b.pending = append(b.pending, p...)
	b.accepted += uint64(len(p))
	b.changed.Broadcast()
	return len(p), nil
}

// Sync waits until all is written that was accepted before, or fails with ErrStalled.
func (b *Buffer) Sync() error {
	late := false // guarded by mu
	timer := time.AfterFunc(b.flush, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		late = true
		b.changed.Broadcast()
	})
	defer timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for target := b.accepted; b.done < target; b.changed.Wait() {
		if late {
			return ErrStalled
		}
	}
	return nil
}

// Close is Sync, after which nothing more is taken.
func (b *Buffer) Close() error {
	err := b.Sync()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.changed.Broadcast()
	return err
}

// Stat describes the output if it is a file, as os.File does.
func (b *Buffer) Stat() (fs.FileInfo, error) {
	if file, ok := b.out.(*os.File); ok {
		return file.Stat()
	}
	return nil, errors.ErrUnsupported
}

// run writes what waits, all of it at once.
func (b *Buffer) run() {
	var batch []byte
	for {
		if batch = b.take(batch[:0]); batch == nil {
			return
		}
		n, err := b.write(batch)
		b.wrote(batch, n)
		if err == nil {
			b.report()
		}
	}
}

// take returns what waits, nil after Close; spare is used for what comes next.
func (b *Buffer) take(spare []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) == 0 {
		if b.closed {
			return nil
		}
		b.changed.Wait()
	}
	batch := b.pending
	b.pending, b.underWay = spare, len(batch)
	return batch
}

// write writes the batch and returns how much of it is out. A line that an earlier
// failure cut off is ended first.
func (b *Buffer) write(batch []byte) (int, error) {
	if b.open {
		if _, err := b.out.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		b.open = false
	}
	n, err := b.out.Write(batch)
	if n > 0 {
		b.open = batch[n-1] != '\n'
	}
	return n, err
}

func (b *Buffer) wrote(batch []byte, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped += lines(batch[n:])
	b.done += uint64(len(batch))
	b.underWay = 0
	b.changed.Broadcast()
}

// report tells of what was lost, now that somebody reads again.
func (b *Buffer) report() {
	b.mu.Lock()
	lost, tell := b.dropped-b.told, b.onLost
	b.told = b.dropped
	b.mu.Unlock()
	if lost > 0 && tell != nil {
		tell(lost)
	}
}

// lines counts lines; what has no end is one too.
func lines(p []byte) uint64 {
	n := bytes.Count(p, []byte{'\n'})
	if len(p) > 0 && p[len(p)-1] != '\n' {
		n++
	}
	return uint64(n)
}
