package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// journal is the log: its segments in order.
type journal struct {
	dir     string
	salt    uint32
	size    int  // of a segment, in bytes
	sync    bool // store waits for the disk
	reserve func(*os.File, int64) error
	persist func(*os.File) error
	turned  chan struct{} // has a word after the log has grown by a segment

	// segments is in order, the head last. The slice is never changed: those who
	// hold mu replace it.
	segments atomic.Pointer[[]*segment]

	mu      sync.Mutex
	head    *segment   // guarded by mu; nil if the next record needs a new one
	next    uint32     // guarded by mu; the next segment's id
	batch   *batch     // guarded by mu; who waits for the next flush
	dirty   []*segment // guarded by mu; what was written to since the last flush
	created bool       // guarded by mu; so the directory was

	books   rollout.Books // guarded by mu; of all records in the log and before it
	totals  totals        // guarded by mu; of the same
	pending totals        // guarded by mu; those of them that wait for a flush
	page    []byte        // guarded by mu; room for books and totals

	syncing sync.Mutex // held for the whole of a flush, and while a file goes
}

func newJournal(c Config, salt uint32) *journal {
	j := &journal{dir: c.Dir, salt: salt, size: c.SegmentBytes, sync: c.Sync, next: 1}
	j.reserve, j.persist, j.turned = reserve, (*os.File).Sync, make(chan struct{}, 1)
	j.segments.Store(new([]*segment))
	return j
}

// list returns the segments, the oldest first.
func (j *journal) list() []*segment { return *j.segments.Load() }

// segment returns the one with the id, or nil.
func (j *journal) segment(id uint32) *segment {
	list := j.list()
	i, found := slices.BinarySearchFunc(list, id, func(g *segment, id uint32) int { return int(g.id) - int(id) })
	if !found {
		return nil
	}
	return list[i]
}

// read appends the holding of the record there. The index must point to it, so
// that it is not taken away meanwhile.
func (j *journal) read(b []byte, p place) (_ []byte, err error) {
	defer faults(&err)()
	g := j.segment(p.segment)
	h, body, sound := g.record(int(p.offset))
	if !sound {
		return nil, fmt.Errorf("%s at byte %d: %w", g.path, p.offset, errDamaged)
	}
	holding, err := h.holding(body, nil, nil)
	return append(b, holding...), err
}

// append needs mu.
func (j *journal) append(body []byte, mark header, live bool) (place, error) {
	if j.head == nil || !j.head.fits(len(body)) {
		if err := j.turn(len(body)); err != nil {
			return place{}, fmt.Errorf("no room for a claim: %w", err)
		}
	}
	g := j.head
	offset, err := g.append(body, mark)
	if err != nil {
		if g.seal() == nil { // perhaps the next segment is sound
			j.head = nil
		}
		return place{}, err
	}
	if live {
		g.live.Add(1)
	}
	if j.sync && !g.dirty {
		g.dirty = true
		j.dirty = append(j.dirty, g)
	}
	return place{g.id, uint32(offset)}, nil
}

// turn ends the head and begins a new one. It needs mu. The new file gets its
// name only after the old one has its end mark, so at any time every named
// segment but the last has one. It begins with the books and the totals, so that
// those before it can go.
func (j *journal) turn(body int) error {
	path := filepath.Join(j.dir, unnamed)
	j.makePage()
	g, err := newSegment(path, max(j.size, recordSize(len(j.page))+recordSize(body)+word), j.reserve)
	if err != nil {
		return err
	}
	if err := j.end(); err != nil {
		return errors.Join(err, g.unmap())
	}
	if err := g.name(j.dir, j.next, j.salt); err != nil {
		return errors.Join(err, g.unmap())
	}
	j.next++
	j.head, j.created = g, true
	j.segments.Store(new(append(slices.Clip(j.list()), g)))
	if _, err := g.append(j.page, bookMark|countMark); err != nil {
		return err
	}
	select {
	case j.turned <- struct{}{}:
	default:
	}
	return nil
}

// makePage writes the totals and the books down in page: in one record, so that who
// dies leaves both or neither. It needs mu.
func (j *journal) makePage() {
	j.page = rollout.AppendBooks(rollout.AppendCounts(j.page[:0], j.totals.counts), j.books)
}

// unnamed is the name of a segment that is being made.
const unnamed = "next"

// end seals the head. It needs mu.
func (j *journal) end() error {
	if j.head == nil {
		return nil
	}
	if err := j.head.seal(); err != nil {
		return err
	}
	j.head = nil
	return nil
}

// leave notes that the index does not point to the record any more.
func (j *journal) leave(p place) { j.segment(p.segment).live.Add(-1) }

// drop takes the oldest segment away. Nothing may point into it, and it is not
// the head.
func (j *journal) drop() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	list := j.list()
	g := list[0]
	if err := os.Remove(g.path); err != nil && !os.IsNotExist(err) {
		return err
	}
	j.segments.Store(new(slices.Clone(list[1:])))
	err := g.unmap()
	if j.sync {
		err = errors.Join(err, syncDir(j.dir))
	}
	return err
}

// close seals the head, writes everything to the disk and closes the files.
func (j *journal) close() error {
	j.mu.Lock()
	err := j.end()
	j.mu.Unlock()
	return errors.Join(err, j.syncAll(), j.unmap())
}

// unmap closes all files.
func (j *journal) unmap() error {
	var errs []error
	for _, g := range j.list() {
		errs = append(errs, g.unmap())
	}
	j.segments.Store(new([]*segment))
	return errors.Join(errs...)
}

// waste is how much of the log there is, in bytes, and how much of it the index
// points to, on the average of each segment.
func (j *journal) waste() (used, live int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, g := range j.list() {
		used += g.used
		if records := g.records.Load(); records > 0 {
			live += int(float64(g.used) * float64(g.live.Load()) / float64(records))
		}
	}
	return used, live
}

// old reports whether the segment has held records that nobody needs for longer
// than age.
func (g *segment) old(age time.Duration, now time.Time) bool {
	return g.records.Load() > g.live.Load() && now.Sub(g.since) > age
}
