package embedded

import (
	"errors"
	"fmt"
	"os"
)

// batch is the updates that wait for one flush. The first of them leads: while
// the flush before is under way, others join.
type batch struct {
	done chan struct{} // closed when err is set
	err  error
}

// join adds the caller to the next batch, and reports whether it leads. It needs
// mu.
func (j *journal) join() (*batch, bool) {
	if j.batch != nil {
		return j.batch, false
	}
	j.batch = &batch{done: make(chan struct{})}
	return j.batch, true
}

// flushed waits for the batch's flush, or makes it.
func (j *journal) flushed(b *batch, leads bool) error {
	if leads {
		j.lead(b)
	}
	<-b.done
	return b.err
}

// lead writes what the batch has written to the disk.
func (j *journal) lead(b *batch) {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	defer close(b.done)
	j.mu.Lock()
	dirty, created := j.dirty, j.created
	j.batch, j.dirty, j.created = nil, nil, false
	for _, g := range dirty {
		g.dirty = false
		if g.failed { // by the batch before, after this one had written
			b.err = fmt.Errorf("%s could not be written to the disk", g.path)
		}
	}
	j.mu.Unlock()
	for _, g := range dirty {
		if !g.gone {
			b.err = errors.Join(b.err, j.persist(g.file))
		}
	}
	if created {
		b.err = errors.Join(b.err, syncDir(j.dir))
	}
	if b.err != nil {
		j.fail(dirty)
	}
}

// fail notes that nobody knows what the disk has of the segments: the kernel
// reports a failed write only once. The log goes on in a new one.
func (j *journal) fail(segments []*segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, g := range segments {
		g.failed = true
		if g == j.head {
			_ = j.end() // or the head stays, and fails the next batch too
		}
	}
}

// settled flushes what was moved, and reports whether the disk has every record
// that the index points to. Without sync nobody asks.
func (j *journal) settled() (bool, error) {
	if !j.sync {
		return true, nil
	}
	j.mu.Lock()
	b, leads := j.join()
	j.mu.Unlock()
	if err := j.flushed(b, leads); err != nil {
		return false, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, g := range j.list() {
		if g.failed && g.live.Load() > 0 {
			return false, nil
		}
	}
	return true, nil
}

// syncAll writes all segments and the directory to the disk.
func (j *journal) syncAll() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	for _, g := range j.list() {
		if err := j.persist(g.file); err != nil {
			return err
		}
	}
	return syncDir(j.dir)
}

// syncDir makes the names in the directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
