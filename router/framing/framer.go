package framing

import "bytes"

// state is where in a message the next byte stands. The package comment draws
// the machine.
type state uint8

const (
	atRequestLine state = iota
	inFields
	inFixedBody
	atChunkSize
	inChunkData
	atChunkCR
	atChunkLF
	inTrailer
)

const (
	// maxChunkLine bounds a chunk-size line with its extensions, in bytes.
	// net/http reads and ignores up to 4096; nobody sends any.
	maxChunkLine = 1 << 10
	// maxTrailer bounds a trailer section, in bytes: one less than net/http can
	// take, so that the refusal is ours and counted.
	maxTrailer = 4<<10 - 1
	// maxKeptLine bounds the line buffer that a connection keeps between
	// messages, in bytes.
	maxKeptLine = 4 << 10
)

// framer follows the bytes of one connection from message to message. It does
// no I/O, and keeps no bytes but the beginning of a line whose end has not
// arrived and the authority of an absolute-form target.
type framer struct {
	maxHead int // bytes
	state   state
	remain  uint64 // bytes left of a fixed body or of a chunk's data
	section int    // bytes of the current head or trailer section, complete lines only
	line    []byte // the beginning of a line whose end has not arrived
	head    head   // what the current message's head has said so far

	afterPost bool   // the message before this one was a POST
	blanks    int    // empty lines before this request line
	handover  bool   // the message that has just ended may turn the connection into something else
	messages  uint64 // whole ones so far
}

// scan follows src and returns how many of its bytes may be handed on. A reason
// says why the rest may not: the line that src[n] belongs to breaks the rules,
// and its end is always among the bytes that are held back. Without a reason
// n < len(src) means that src[n] follows a message that asks for another
// protocol, so that it may not be HTTP at all: it is to be scanned again when
// somebody asks for it.
func (f *framer) scan(src []byte) (n int, why reason) {
	for n < len(src) {
		took, why := f.step(src[n:])
		if why != accepted {
			return n, why
		}
		n += took
		if f.handover && f.state == atRequestLine {
			f.handover = false
			return n, accepted
		}
	}
	return n, accepted
}

func (f *framer) step(src []byte) (int, reason) {
	switch f.state {
	case inFixedBody, inChunkData:
		return f.data(len(src)), accepted
	case atChunkCR, atChunkLF:
		return 1, f.chunkEnd(src[0])
	default:
		return f.takeLine(src)
	}
}

// takeLine takes one line from src, or all of src as the beginning of a line.
func (f *framer) takeLine(src []byte) (int, reason) {
	end := bytes.IndexByte(src, '\n') + 1
	if end == 0 {
		f.line = append(f.line, src...)
		return len(src), f.room(len(f.line))
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
	if f.line = f.line[:0]; cap(f.line) > maxKeptLine {
		f.line = nil
	}
	return end, why
}

// room refuses a line that makes its section too long, complete or not.
func (f *framer) room(line int) reason {
	switch {
	case f.state == atChunkSize:
		if line > maxChunkLine {
			return chunkLineTooLong
		}
	case f.state == inTrailer:
		if f.section+line > maxTrailer {
			return trailerTooLarge
		}
	case f.section+line > f.maxHead:
		return headTooLarge
	}
	return accepted
}

func (f *framer) takeWholeLine(line []byte) reason {
	text := line[:len(line)-1]
	if len(text) == 0 || text[len(text)-1] != '\r' {
		if f.state == atChunkSize {
			return chunkBareLF
		}
		return bareLF
	}
	text = text[:len(text)-1]
	f.section += len(line)
	switch f.state {
	case atRequestLine:
		return f.requestLine(text)
	case inFields:
		return f.field(text)
	case atChunkSize:
		return f.chunkSize(text)
	default:
		return f.trailer(text)
	}
}

// endMessage makes ready for the next message.
func (f *framer) endMessage() {
	f.state = atRequestLine
	f.messages++
	f.section, f.blanks = 0, 0
	f.afterPost = f.head.post
	f.handover = f.head.upgrade
	f.head = head{authority: f.head.authority[:0]}
}
