package framing

import "bytes"

// state is where in a message the next byte stands. The package comment draws
// the machine.
type state uint8

const (
	atRequestLine state = iota
	atEmptyLineLF
	inFields
	inFixedBody
	atChunkSize
	inChunkExt
	atChunkSizeLF
	inChunkData
	atChunkCR
	atChunkLF
	inTrailer
	atTrailerLF
)

const (
	// maxChunkLine bounds a chunk-size line with its extensions, in bytes.
	maxChunkLine = 4 << 10
	// maxMethod bounds a method, in bytes. The longest that is registered has 17.
	maxMethod = 1 << 10
	// maxEmptyLines bounds the empty lines before a request line: RFC 9112, 2.2
	// wants one to be ignored.
	maxEmptyLines = 2
	// maxKeptLine bounds the line buffer that a connection keeps between
	// messages, in bytes.
	maxKeptLine = 4 << 10
)

// framer follows the bytes of one connection from message to message. It does
// no I/O, and keeps no bytes but the beginning of a line whose end has not
// arrived, a chunk's extensions, a trailer section, and the authority of an
// absolute-form target.
type framer struct {
	maxHead int // bytes
	state   state
	remain  uint64 // bytes left of a fixed body or of a chunk's data
	section int    // bytes of the current head, chunk-size line or trailer section, complete lines only
	line    []byte // the beginning of a line whose end has not arrived; a chunk's extensions
	head    head   // what the current message's head has said so far
	chunk   chunk  // what the current chunk-size line has said so far
	trailer []byte // the current trailer section, complete lines only; nil until there is one

	emptyLines int    // before this request line
	handover   bool   // the message that has just ended may turn the connection into something else
	foreign    bool   // the message before this one was such a one
	messages   uint64 // whole ones so far

	// ended is a trailer section that is whole: it is to be handed on in place of
	// the bytes that brought it. Owned by the caller of scan once it is set.
	ended []byte
}

// scan follows buf and moves the bytes that may be handed on to its beginning:
// they are buf[:out]. in is how many were read for them; of buf[out:in] nothing
// is to be handed on.
//
// A reason says why the rest may not be: the line that buf[in] belongs to breaks
// the rules, and its end is always among the bytes that are held back, but with
// unsupportedEncoding. Without a reason in < len(buf) means that the rest has to
// be scanned again, after ended if it is set; else when somebody asks for it,
// because it follows a message that asks for another protocol, so that it may not
// be HTTP at all.
func (f *framer) scan(buf []byte) (out, in int, why reason) {
	for in < len(buf) {
		took, kept, why := f.step(buf[in:])
		if kept && out < in {
			copy(buf[out:], buf[in:in+took])
		}
		if kept {
			out += took
		}
		in += took
		if why != accepted {
			return out, in, why
		}
		if f.ended != nil || f.handover && f.state == atRequestLine {
			f.handover = false
			return out, in, accepted
		}
	}
	return out, in, accepted
}

// step takes some bytes from src and tells whether they are to be handed on. With
// a reason it has taken only what may be.
func (f *framer) step(src []byte) (took int, kept bool, why reason) {
	switch f.state {
	case inFixedBody, inChunkData:
		return f.data(len(src)), true, accepted
	case atChunkCR, atChunkLF:
		return one(f.chunkEnd(src[0]), true)
	case atChunkSize, inChunkExt, atChunkSizeLF:
		return f.chunkLine(src)
	case inTrailer, atTrailerLF:
		return f.trailerLine(src)
	case atEmptyLineLF:
		return one(f.emptyLine(src[0]), false)
	case atRequestLine:
		if src[0] == '\r' && len(f.line) == 0 && !f.foreign {
			f.state = atEmptyLineLF
			return 1, false, accepted
		}
	}
	took, why = f.takeLine(src)
	return took, true, why
}

// one is a step of one byte, unless it is refused.
func one(why reason, keep bool) (took int, kept bool, _ reason) {
	if why != accepted {
		return 0, false, why
	}
	return 1, keep, accepted
}

// emptyLine takes the byte after a CR where a request line is expected. net/http
// takes no empty line there but after a POST, so that none is handed on.
func (f *framer) emptyLine(c byte) reason {
	if c != '\n' {
		return bareCR
	}
	if f.emptyLines++; f.emptyLines > maxEmptyLines {
		return emptyLine
	}
	f.state = atRequestLine
	return accepted
}

// takeLine takes one line from src, or all of src as the beginning of a line.
func (f *framer) takeLine(src []byte) (int, reason) {
	end := bytes.IndexByte(src, '\n') + 1
	if end == 0 {
		f.line = append(f.line, src...)
		why := f.room(len(f.line))
		if why == accepted && f.state == atRequestLine && len(f.line) > maxMethod && bytes.IndexByte(f.line[:maxMethod+1], ' ') < 0 {
			why = badRequestLine
		}
		if why != accepted {
			return 0, why
		}
		return len(src), accepted
	}
	line := src[:end]
	if len(f.line) > 0 {
		f.line = append(f.line, line...)
		line = f.line
	}
	why := f.room(len(line))
	if why == accepted {
		why = f.takeWholeLine(line)
	}
	f.dropLine()
	if why != accepted && why != unsupportedEncoding {
		return 0, why
	}
	return end, why
}

func (f *framer) dropLine() {
	if f.line = f.line[:0]; cap(f.line) > maxKeptLine {
		f.line = nil
	}
}

// room refuses a line that makes its section too long, complete or not.
func (f *framer) room(line int) reason {
	switch {
	case f.section+line <= f.maxHead:
		return accepted
	case f.state == inTrailer:
		return trailerTooLarge
	}
	return headTooLarge
}

func (f *framer) takeWholeLine(line []byte) reason {
	text := line[:len(line)-1]
	if len(text) == 0 || text[len(text)-1] != '\r' {
		return bareLF
	}
	text = text[:len(text)-1]
	f.section += len(line)
	switch f.state {
	case atRequestLine:
		return f.requestLine(text)
	case inFields:
		return f.field(text)
	default:
		return f.trailerField(text)
	}
}

// endMessage makes ready for the next message.
func (f *framer) endMessage() {
	f.state = atRequestLine
	f.messages++
	f.section, f.emptyLines = 0, 0
	f.chunk = chunk{}
	f.handover, f.foreign = f.head.upgrade, f.head.upgrade
	f.head = head{authority: f.head.authority[:0]}
}
