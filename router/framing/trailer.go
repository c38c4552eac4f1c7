package framing

import (
	"bytes"
	"strconv"
	"sync"
)

// maxInBand is the longest trailer section, in bytes, that net/http can take:
// its buffer holds one byte more.
const maxInBand = 4<<10 - 1

// trailerLine takes a part of a trailer section. A section with fields is kept
// until it is whole, because what is done with it depends on its length.
func (f *framer) trailerLine(src []byte) (took int, kept bool, why reason) {
	switch {
	case f.state == atTrailerLF && src[0] == '\n':
		f.endMessage()
		return 1, true, accepted
	case f.state == atTrailerLF:
		return 0, false, bareCR
	case f.trailer == nil && len(f.line) == 0 && src[0] == '\r':
		f.state = atTrailerLF
		return 1, true, accepted
	}
	took, why = f.takeLine(src)
	return took, false, why
}

// trailerField takes one line of a trailer section, without its CRLF.
func (f *framer) trailerField(text []byte) reason {
	if len(text) == 0 {
		f.ended, f.trailer = append(f.trailer, "\r\n"...), nil
		f.endMessage()
		return accepted
	}
	name, _, why := splitField(text)
	if why == accepted && framesOrRoutes(name) {
		return badTrailer
	}
	f.trailer = append(append(f.trailer, text...), "\r\n"...)
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
// would have decided over (RFC 9110, section 6.5.1), and our own.
func framesOrRoutes(name []byte) bool {
	return equalFold(name, "content-length") || equalFold(name, "transfer-encoding") ||
		equalFold(name, "trailer") || equalFold(name, "host") || equalFold(name, asideField)
}

// asideField names, in place of a trailer section that net/http would not take,
// the section that is kept for Prepare. No client's field has this name.
const asideField = "Sluice-Trailer-Section"

// asideSection keeps one trailer section until the request's body is read to its
// end. There is never more than one to keep: the next comes in a later Read, which
// net/http makes only when it is through with the bytes of this one.
type asideSection struct {
	mu      sync.Mutex
	number  int    // guarded by mu
	section []byte // guarded by mu
}

// inBand returns what net/http gets of a trailer section.
func (a *asideSection) inBand(section []byte) []byte {
	if len(section) <= maxInBand {
		return section
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.number++
	a.section = section
	return []byte(asideField + ": " + strconv.Itoa(a.number) + "\r\n\r\n")
}

// take returns the section of that name, or nil.
func (a *asideSection) take(name string) (section []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name != strconv.Itoa(a.number) {
		return nil
	}
	section, a.section = a.section, nil
	return section
}
