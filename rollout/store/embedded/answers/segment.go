package answers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// A record is a header and a body, an encoded answer:
//
//	bytes  0..3    CRC-32C of all that follows
//	bytes  4..7    length of the body
//	bytes  8..15   when it was stored, in milliseconds since 1970
//	bytes 16..31   the key's sum
const (
	headerSize = 32
	keySize    = 16
)

// errDamaged says that a record is not what was written.
var errDamaged = errors.New("a record is damaged")

// segment is one file of answers.
type segment struct {
	path  string
	file  *os.File
	begun time.Time
	last  time.Time                // when its newest answer was stored
	used  int64                    // bytes of records
	index map[[keySize]byte]extent // where each answer's record is
}

// extent is where a record is in its file.
type extent struct{ offset, size uint32 }

func newRecord(key [keySize]byte, now time.Time, body []byte) []byte {
	b := make([]byte, headerSize, headerSize+len(body))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	binary.LittleEndian.PutUint64(b[8:], uint64(now.UnixMilli()))
	copy(b[16:], key[:])
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b, checksum(b[4:]))
	return b
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// firstRecord returns the record that b begins with; false if there is no sound one.
func firstRecord(b []byte) (record []byte, sound bool) {
	if len(b) < headerSize {
		return nil, false
	}
	size := headerSize + int64(binary.LittleEndian.Uint32(b[4:]))
	if size > int64(len(b)) || binary.LittleEndian.Uint32(b) != checksum(b[4:size]) {
		return nil, false
	}
	return b[:size], true
}

const suffix = ".answers"

// newSegment makes an empty file. One of the name holds nothing sound, or it
// would have been read.
func newSegment(dir string, number uint32, now time.Time) (*segment, error) {
	path := filepath.Join(dir, fmt.Sprintf("%010d%s", number, suffix))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{path: path, file: file, begun: now, last: now, index: map[[keySize]byte]extent{}}, nil
}

// openSegment reads a file up to its end, or to what a dying process had begun.
func openSegment(path string) (*segment, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	g := &segment{path: path, index: map[[keySize]byte]extent{}}
	for {
		record, sound := firstRecord(content[g.used:])
		if !sound {
			break
		}
		stored := time.UnixMilli(int64(binary.LittleEndian.Uint64(record[8:])))
		if g.used == 0 {
			g.begun = stored
		}
		g.note([keySize]byte(record[16:headerSize]), len(record), stored)
	}
	g.file, err = os.Open(path)
	return g, err
}

// note puts the record at the end of the used part into the index.
func (g *segment) note(key [keySize]byte, size int, stored time.Time) {
	g.index[key] = extent{uint32(g.used), uint32(size)}
	g.used += int64(size)
	if stored.After(g.last) {
		g.last = stored
	}
}

// append writes a record. If that fails, the next one is written over it.
func (g *segment) append(key [keySize]byte, record []byte, now time.Time) error {
	if _, err := g.file.WriteAt(record, g.used); err != nil {
		return err
	}
	g.note(key, len(record), now)
	return nil
}

// read returns the body of the key's record.
func (g *segment) read(key [keySize]byte, at extent) ([]byte, error) {
	b := make([]byte, at.size)
	if _, err := g.file.ReadAt(b, int64(at.offset)); err != nil {
		return nil, err
	}
	record, sound := firstRecord(b)
	if !sound || [keySize]byte(record[16:headerSize]) != key {
		return nil, fmt.Errorf("%s at byte %d: %w", g.path, at.offset, errDamaged)
	}
	return record[headerSize:], nil
}

// remove takes the file away.
func (g *segment) remove() error {
	if err := os.Remove(g.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return g.file.Close()
}

// syncDir makes the names in the directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
