package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// segment is one file of the log.
type segment struct {
	id    uint32 // from 1; its name
	path  string
	salt  uint32
	file  *os.File
	data  []byte // mapped; the file may have become shorter since
	since time.Time

	used    int          // bytes of records; guarded by journal.mu while it is the head
	records atomic.Int64 // how many there are, without books
	live    atomic.Int64 // how many of them the index points to, or soon will

	dirty  bool // guarded by journal.mu; it is in journal.dirty
	failed bool // guarded by journal.mu; the disk may not have what is in memory
	gone   bool // guarded by journal.syncing; the file was closed
}

// errDamaged says that a record is not what was written.
var errDamaged = errors.New("a record is damaged")

// newSegment makes a file of the size, all of it allocated, so that a copy into
// it cannot run out of room. It has no place in the log until it is named.
func newSegment(path string, size int, reserve func(*os.File, int64) error) (g *segment, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.Close()    // err is what matters
			_ = os.Remove(path) // the next attempt truncates it
		}
	}()
	if err := reserve(file, int64(size)); err != nil {
		return nil, err
	}
	g = &segment{path: path, file: file, since: time.Now()}
	return g, g.mapped(size)
}

// openSegment opens a file of the log.
func openSegment(dir string, id, salt uint32) (*segment, error) {
	path := segmentPath(dir, id)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	g := &segment{id: id, path: path, salt: salt, file: file, since: time.Now()}
	info, err := file.Stat()
	if err == nil && info.Size() > 0 {
		err = g.mapped(int(info.Size()))
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return g, nil
}

func (g *segment) mapped(size int) (err error) {
	g.data, err = syscall.Mmap(int(g.file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping %s: %w", g.path, err)
	}
	return nil
}

func segmentPath(dir string, id uint32) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", id, suffix))
}

const suffix = ".claims"

// name gives the segment its place in the log.
func (g *segment) name(dir string, id, salt uint32) error {
	to := segmentPath(dir, id)
	if err := os.Rename(g.path, to); err != nil {
		return err
	}
	g.path, g.id, g.salt = to, id, salt
	return nil
}

// fits reports whether there is room for the body, and an end mark after it.
func (g *segment) fits(body int) bool { return g.used+recordSize(body)+word <= len(g.data) }

// append copies a body in; it must fit. The header, which has the marks, is written
// last: until then there is no record.
func (g *segment) append(body []byte, mark header) (offset int, err error) {
	defer faults(&err)()
	offset = g.used
	copy(g.data[offset+word:], body)
	headerAt(g.data, offset).Store(uint64(newHeader(g.salt, g.id, body, mark)))
	g.used += recordSize(len(body))
	if !mark.books() {
		g.records.Add(1)
	}
	return offset, nil
}

// record returns the record at the offset, and whether it is sound.
func (g *segment) record(offset int) (h header, body []byte, sound bool) {
	if offset+word > len(g.data) {
		return 0, nil, false
	}
	h = header(headerAt(g.data, offset).Load())
	if h == 0 || offset+word+h.length() > len(g.data) {
		return h, nil, false
	}
	body = g.data[offset+word : offset+word+h.length()]
	return h, body, h.sound(g.salt, g.id, body)
}

// void makes the bytes from the offset up to the next record one that is
// skipped, whatever they are.
func (g *segment) void(offset, next int) (err error) {
	defer faults(&err)()
	h := newHeader(g.salt, g.id, g.data[offset+word:next], voidMark)
	headerAt(g.data, offset).Store(uint64(h))
	return nil
}

// seal writes the end mark and gives the room after it back.
func (g *segment) seal() error {
	end := binary.NativeEndian.AppendUint64(nil, uint64(newHeader(g.salt, g.id, nil, endMark)))
	if _, err := g.file.WriteAt(end, int64(g.used)); err != nil {
		return err
	}
	return g.file.Truncate(int64(g.used + word))
}

// unmap closes the file; nobody may use the segment any more.
func (g *segment) unmap() error {
	g.gone = true
	data := g.data
	g.data = nil
	if data == nil {
		return g.file.Close()
	}
	return errors.Join(syscall.Munmap(data), g.file.Close())
}
