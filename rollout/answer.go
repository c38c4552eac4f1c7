package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Answer is an HTTP answer: what a workflow's result describes, or what legacy
// answered.
type Answer struct {
	Status int
	// Header holds fields by canonical name, Content-Type among them.
	Header map[string][]string
	Body   []byte
}

// Size is how many bytes of status, fields and body there are, about.
func (a *Answer) Size() int {
	size := 4 + len(a.Body)
	for name, values := range a.Header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return size
}

// AnswerKey names the answer that one life of an intent got from legacy. A life
// that was forgotten is never minted again, so no later one finds its answer.
type AnswerKey struct {
	DocID  string
	Intent Intent
	Life   uint64
}

// Sum returns the key as stores use it.
func (k AnswerKey) Sum() (sum [16]byte) {
	h := sha256.New()
	for _, field := range []string{k.DocID, string(k.Intent), strconv.FormatUint(k.Life, 10)} {
		writeField(h, field)
	}
	var whole [sha256.Size]byte
	copy(sum[:], h.Sum(whole[:0]))
	return sum
}

// answerEncoding is the first byte of an encoded answer.
const answerEncoding = 1

// ErrAnswerEncoding says that bytes are not an encoded answer.
var ErrAnswerEncoding = errors.New("not an encoded answer")

// AppendAnswer appends the answer's encoding, which every store uses.
func AppendAnswer(b []byte, a *Answer) []byte {
	b = append(b, answerEncoding)
	b = binary.AppendUvarint(b, uint64(a.Status))
	b = binary.AppendUvarint(b, uint64(len(a.Header)))
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		b = appendText(b, name)
		b = binary.AppendUvarint(b, uint64(len(a.Header[name])))
		for _, value := range a.Header[name] {
			b = appendText(b, value)
		}
	}
	return appendText(b, string(a.Body))
}

// ParseAnswer reads what AppendAnswer wrote. It fails with ErrAnswerEncoding.
func ParseAnswer(b []byte) (Answer, error) {
	p := parser{rest: b}
	if version := p.byte(); version != answerEncoding {
		return Answer{}, fmt.Errorf("%w: version %d", ErrAnswerEncoding, version)
	}
	a := Answer{Status: int(p.number()), Header: map[string][]string{}}
	for n := p.count(); n > 0 && !p.bad; n-- {
		name := p.text()
		for values := p.count(); values > 0 && !p.bad; values-- {
			a.Header[name] = append(a.Header[name], p.text())
		}
	}
	a.Body = append(a.Body, p.take(p.number())...)
	if p.bad || len(p.rest) > 0 {
		return Answer{}, ErrAnswerEncoding
	}
	return a, nil
}
