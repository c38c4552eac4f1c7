package framing

import (
	"bytes"
	"math"
)

// data takes up to n bytes of a body and returns how many.
func (f *framer) data(n int) int {
	took := min(uint64(n), f.remain)
	if f.remain -= took; f.remain == 0 {
		if f.state == inChunkData {
			f.state = atChunkCR
		} else {
			f.endMessage()
		}
	}
	return int(took)
}

// chunkEnd takes one of the two bytes that follow a chunk's data.
func (f *framer) chunkEnd(c byte) reason {
	switch {
	case f.state == atChunkCR && c == '\r':
		f.state = atChunkLF
	case f.state == atChunkLF && c == '\n':
		f.state = atChunkSize
	case f.state == atChunkCR && c == '\n':
		return chunkBareLF
	default:
		return badChunkEnd
	}
	return accepted
}

// chunkSize takes a chunk-size line, without its CRLF.
func (f *framer) chunkSize(text []byte) reason {
	digits, ext := text, []byte(nil)
	if i := bytes.IndexByte(text, ';'); i >= 0 {
		digits, ext = text[:i], text[i+1:]
	}
	size, ok := parseChunkSize(digits)
	switch {
	case !ok:
		return badChunkSize
	case controlAt(ext) >= 0:
		return badChunkExt
	case size == 0:
		f.state, f.section = inTrailer, 0
	default:
		f.state, f.remain = inChunkData, size
	}
	return accepted
}

func parseChunkSize(digits []byte) (size uint64, ok bool) {
	const maxDigits = 16
	if len(digits) == 0 || len(digits) > maxDigits {
		return 0, false
	}
	for _, c := range digits {
		v, ok := hexValue(c)
		if !ok {
			return 0, false
		}
		size = size<<4 | v
	}
	return size, size <= math.MaxInt64
}

// trailer takes one line of a trailer section, without its CRLF.
func (f *framer) trailer(text []byte) reason {
	if len(text) == 0 {
		f.endMessage()
		return accepted
	}
	name, _, why := splitField(text)
	if why == accepted && framesOrRoutes(name) {
		return badTrailer
	}
	return why
}

// checkAnnouncedTrailer checks the value of a Trailer field.
func checkAnnouncedTrailer(value []byte) reason {
	for name := range bytes.SplitSeq(value, []byte(",")) {
		if framesOrRoutes(trimSpace(name)) {
			return badTrailer
		}
	}
	return accepted
}

// framesOrRoutes names the fields that must not come after the body that they
// would have decided over (RFC 9110, section 6.5.1).
func framesOrRoutes(name []byte) bool {
	return equalFold(name, "content-length") || equalFold(name, "transfer-encoding") ||
		equalFold(name, "trailer") || equalFold(name, "host")
}
