package embedded

import (
	"encoding/binary"
	"hash/crc32"
	"sync/atomic"
	"unsafe"

	"sluice/rollout"
)

// A record is a header of one word, a body, and zeros up to a multiple of a word.
// The body is what the change was for the books (nothing, if the sweeper has only
// moved the record here), what it counted, and the holding, all encoded. A word of
// zeros is where the next record will be.
//
//	bits 0..27    length of the body
//	bit  28       counts: there are some in the body; those of books are the totals
//	bit  29       books: the body is what was counted, and what the books say here
//	bit  30       end mark: nothing follows in this segment
//	bit  31       void: skip it
//	bits 32..63   CRC-32C of segment, length, mark and body
//
// The CRC begins with the directory's secret, so that a client cannot have a
// document that holds what looks like a record. Words are in the machine's order.
type header uint64

const (
	word      = 8
	maxBody   = 1<<28 - 1
	countMark = header(1 << 28)
	bookMark  = header(1 << 29)
	endMark   = header(1 << 30)
	voidMark  = header(1 << 31)
	marks     = countMark | bookMark | endMark | voidMark
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newHeader returns the header for a body; with endMark there is none.
func newHeader(salt, segment uint32, body []byte, mark header) header {
	low := header(len(body)) | mark
	var seed [8]byte
	binary.LittleEndian.PutUint32(seed[:], segment)
	binary.LittleEndian.PutUint32(seed[4:], uint32(low))
	crc := crc32.Update(crc32.Update(salt, castagnoli, seed[:]), castagnoli, body)
	return low | header(crc)<<32
}

func (h header) length() int { return int(h & maxBody) }
func (h header) end() bool   { return h&endMark != 0 }
func (h header) void() bool  { return h&voidMark != 0 }
func (h header) books() bool { return h&bookMark != 0 }

// counts is false in the directories of builds that did not count.
func (h header) counts() bool { return h&countMark != 0 }

// holding returns the holding in a record's body, and shows what comes before it to
// those that are not nil.
func (h header) holding(body []byte, post func(rollout.Posting), count func(rollout.Count)) ([]byte, error) {
	rest, err := rollout.ParsePostings(body, post)
	if err == nil && h.counts() {
		rest, err = rollout.ParseCounts(rest, count)
	}
	return rest, err
}

// sound reports whether the header is that of the body.
func (h header) sound(salt, segment uint32, body []byte) bool {
	return h == newHeader(salt, segment, body, h&marks)
}

// recordSize returns how many bytes a record takes up.
func recordSize(body int) int { return (word + body + word - 1) &^ (word - 1) }

// headerAt returns the word at the offset, which is a multiple of a word, in
// mapped memory. It is atomic, so a process dies before or after it is written.
func headerAt(data []byte, offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&data[offset : offset+word][0]))
}
