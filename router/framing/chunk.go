package framing

import "bytes"

// maxOverhead bounds what the chunk-size lines of a body may take in all, in
// bytes, beyond 16 a chunk and twice the data. net/http has the same rule, but
// does not see the extensions any more.
const maxOverhead = 16 << 10

// chunk is what a chunk-size line says, and what the lines before it cost.
type chunk struct {
	size     uint64
	digits   bool // one was there
	overhead int64
}

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
		f.startChunk()
	case f.state == atChunkCR && c == '\n':
		return chunkBareLF
	default:
		return badChunkEnd
	}
	return accepted
}

func (f *framer) startChunk() {
	f.state, f.section = atChunkSize, 0
	f.chunk.size, f.chunk.digits = 0, false
}

// chunkLine takes a part of a chunk-size line. What is handed on of it is the
// size with one leading zero at most, and CR LF: net/http takes neither blanks
// before a semicolon nor more than 16 digits, and ignores extensions.
func (f *framer) chunkLine(src []byte) (took int, kept bool, why reason) {
	switch f.state {
	case atChunkSize:
		took, kept, why = f.chunkSize(src[0])
	case inChunkExt:
		took, kept, why = f.chunkExt(src)
	default:
		return one(f.endChunkLine(src[0]), true)
	}
	if f.section += took; why == accepted && f.section > maxChunkLine {
		return 0, false, chunkLineTooLong
	}
	return took, kept, why
}

// chunkSize takes one byte of the size or the one that ends it.
func (f *framer) chunkSize(c byte) (took int, kept bool, why reason) {
	const most = 1 << 60 // so that it fits 15 digits, and is no length that anybody means
	h := &f.chunk
	if v, ok := hexValue(c); ok {
		if h.size >= most>>4 {
			return 0, false, badChunkSize
		}
		zero := h.digits && h.size == 0 && v == 0
		h.digits, h.size = true, h.size<<4|v
		return 1, !zero, accepted
	}
	switch {
	case c == '\n':
		return 0, false, chunkBareLF
	case !h.digits:
		return 0, false, badChunkSize
	case c == '\r':
		f.state = atChunkSizeLF
		return 1, true, accepted
	case c == ';' || isSpace(c):
		f.state = inChunkExt
		f.line = append(f.line, c)
		return 1, false, accepted
	}
	return 0, false, badChunkSize
}

// chunkExt takes bytes of the extensions, or the CR behind them.
func (f *framer) chunkExt(src []byte) (took int, kept bool, why reason) {
	end := bytes.IndexByte(src, '\r')
	if end != 0 {
		if end < 0 {
			end = len(src)
		}
		end = min(end, maxChunkLine)
		if bytes.IndexByte(src[:end], '\n') >= 0 {
			return 0, false, chunkBareLF
		}
		f.line = append(f.line, src[:end]...)
		return end, false, accepted
	}
	why = checkChunkExt(f.line)
	f.dropLine()
	if why != accepted {
		return 0, false, why
	}
	f.state = atChunkSizeLF
	return 1, true, accepted
}

// endChunkLine takes the byte behind the line's CR.
func (f *framer) endChunkLine(c byte) reason {
	h := &f.chunk
	if c != '\n' {
		return bareCR
	}
	h.overhead = max(0, h.overhead+int64(f.section)+1-16-2*int64(h.size))
	switch {
	case h.overhead > maxOverhead:
		return chunkOverhead
	case h.size == 0:
		f.state, f.section = inTrailer, 0
	default:
		f.state, f.remain = inChunkData, h.size
	}
	return accepted
}

// checkChunkExt checks what stands between the size and the end of the line
// (RFC 9112, section 7.1.1): each extension is a semicolon, a name, and perhaps
// a value, which is a token or a quoted string; blanks may stand between them.
func checkChunkExt(ext []byte) reason {
	ext = skipSpace(ext)
	if len(ext) == 0 {
		return badChunkSize // only blanks
	}
	for len(ext) > 0 {
		if ext[0] != ';' {
			return badChunkExt
		}
		name, rest := cutToken(skipSpace(ext[1:]))
		if len(name) == 0 {
			return badChunkExt
		}
		ext = rest
		if next := skipSpace(rest); len(next) > 0 {
			if ext = next; next[0] == '=' {
				var ok bool
				if ext, ok = cutValue(skipSpace(next[1:])); !ok {
					return badChunkExt
				}
				if next := skipSpace(ext); len(next) > 0 {
					ext = next
				}
			}
		}
	}
	return accepted
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func cutToken(b []byte) (token, rest []byte) {
	n := 0
	for n < len(b) && isTokenByte(b[n]) {
		n++
	}
	return b[:n], b[n:]
}

// cutValue cuts a token or a quoted string from the beginning of b.
func cutValue(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		token, rest := cutToken(b)
		return rest, len(token) > 0
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[i+1:], true
		case c == '\\':
			i++
			if i == len(b) || isControl(b[i]) {
				return nil, false
			}
		case isControl(c):
			return nil, false
		}
	}
	return nil, false
}
