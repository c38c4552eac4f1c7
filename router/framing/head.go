package framing

import (
	"bytes"
	"math"
)

// head is what decides over the framing and the host of one message.
type head struct {
	http10    bool
	upgrade   bool   // asks for another protocol on this connection
	authority []byte // of an absolute-form target, else empty
	port      string // the default of the target's scheme, with its colon
	host      bool   // a Host field was there
	hasLength bool
	length    uint64
	chunked   bool
	coded     bool // in other codings before it
}

// field takes one line of a head, without its CRLF.
func (f *framer) field(text []byte) reason {
	if len(text) == 0 {
		return f.endHead()
	}
	name, value, why := splitField(text)
	if why != accepted {
		return why
	}
	h := &f.head
	switch {
	case equalFold(name, "host"):
		return h.takeHost(value)
	case equalFold(name, "upgrade"):
		h.upgrade = true
	case equalFold(name, "trailer"):
		return checkAnnouncedTrailer(value)
	case equalFold(name, "content-length"):
		return h.takeLength(value)
	case equalFold(name, "transfer-encoding"):
		return h.takeEncoding(value)
	}
	return accepted
}

// endHead decides how the message's body is framed.
func (f *framer) endHead() reason {
	h := &f.head
	switch {
	case !h.host && !h.http10:
		return missingHost
	case h.chunked && h.hasLength:
		return lengthAndChunked
	case h.coded:
		return unsupportedEncoding
	case h.chunked:
		f.startChunk()
	case h.length > 0:
		f.state, f.remain = inFixedBody, h.length
	default:
		f.endMessage()
	}
	return accepted
}

func (h *head) takeHost(value []byte) reason {
	if h.host {
		return duplicateHost
	}
	h.host = true
	if len(h.authority) > 0 && !equalFold(h.withoutPort(h.authority), h.withoutPort(value)) {
		return absoluteFormHost
	}
	return accepted
}

// withoutPort cuts the port that goes without saying.
func (h *head) withoutPort(authority []byte) []byte {
	if n := len(authority) - len(h.port); n > 0 && string(authority[n:]) == h.port {
		return authority[:n]
	}
	return authority
}

func (h *head) takeLength(value []byte) reason {
	if h.hasLength {
		return duplicateLength
	}
	h.hasLength = true
	for _, c := range value {
		if !isDigit(c) || h.length > (math.MaxInt64-9)/10 {
			return badLength
		}
		h.length = h.length*10 + uint64(c-'0')
	}
	if len(value) == 0 {
		return badLength
	}
	return accepted
}

func (h *head) takeEncoding(value []byte) reason {
	if h.http10 {
		return http10Chunked
	}
	if h.chunked {
		return badEncoding
	}
	if !equalFold(value, "chunked") {
		h.coded = true
		if !codedAndChunked(value) {
			return badEncoding
		}
	}
	h.chunked = true
	return accepted
}

// codedAndChunked reports whether value is a list of codings that RFC 9112,
// section 7 registers, and chunked behind them.
func codedAndChunked(value []byte) bool {
	last := bytes.LastIndexByte(value, ',')
	if last < 0 || !equalFold(trimSpace(value[last+1:]), "chunked") {
		return false
	}
	for name := range bytes.SplitSeq(value[:last], []byte(",")) {
		switch string(bytes.ToLower(trimSpace(name))) {
		case "gzip", "x-gzip", "deflate", "compress", "x-compress":
		default:
			return false
		}
	}
	return true
}

// splitField splits a field line into its name and its trimmed value.
func splitField(text []byte) (name, value []byte, why reason) {
	if isSpace(text[0]) {
		return nil, nil, obsFold
	}
	colon := bytes.IndexByte(text, ':')
	if colon < 0 {
		return nil, nil, badHeaderName
	}
	name, value = text[:colon], text[colon+1:]
	if !isToken(name) {
		if bare := trimSpace(name); len(bare) < len(name) && isToken(bare) {
			return nil, nil, spaceColon
		}
		return nil, nil, badHeaderName
	}
	if i := controlAt(value); i >= 0 {
		switch value[i] {
		case 0:
			return nil, nil, nulInHeader
		case '\r':
			return nil, nil, bareCR
		}
		return nil, nil, controlInHeader
	}
	return name, trimSpace(value), accepted
}
