package compare

import (
	"encoding/binary"
	"math/bits"
)

// string reads a string with its quotes.
func (p *parser) string() error {
	start, escaped := p.at+1, false
	raw := p.raw
	for at := start; ; {
		if at = plain(raw, at); at >= len(raw) {
			break
		}
		switch c := raw[at]; {
		case c == '"':
			p.at = at + 1
			return p.add(valueString, start, at, escaped)
		case c < ' ':
			p.at = at
			return p.wrong("a control character in a string")
		}
		size := escapeSize(raw[at:])
		if size == 0 {
			p.at = at
			return p.wrong("an escape that JSON does not have")
		}
		escaped = true
		at += size
	}
	p.at = len(raw)
	return p.wrong("")
}

// plain returns where the next quote, backslash or control character is, or the end.
// It looks at eight bytes at a time: x-ones sets the high bit of the lowest byte of x
// that is 0, and of none below it.
func plain(raw []byte, at int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(raw)-at >= 8; at += 8 {
		x := binary.LittleEndian.Uint64(raw[at:])
		quote, backslash := x^ones*'"', x^ones*'\\'
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (x-ones*' ')&^x) & highs
		if found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for at < len(raw) && raw[at] >= ' ' && raw[at] != '"' && raw[at] != '\\' {
		at++
	}
	return at
}

// escapeSize returns how many bytes the escape takes, or 0 if it is none.
func escapeSize(raw []byte) int {
	if len(raw) < 2 {
		return 0
	}
	switch raw[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(raw) < 6 {
			return 0
		}
		for _, c := range raw[2:6] {
			if lower := c | 0x20; (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// number reads a number.
func (p *parser) number() error {
	start := p.at
	if p.raw[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.raw) && p.raw[p.at] == '0' {
		p.at++
	} else if !p.digits() {
		return p.wrong("a digit is missing")
	}
	if p.at < len(p.raw) && p.raw[p.at] == '.' {
		p.at++
		if !p.digits() {
			return p.wrong("a digit is missing")
		}
	}
	if p.at < len(p.raw) && p.raw[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.raw) && (p.raw[p.at] == '+' || p.raw[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return p.wrong("a digit is missing")
		}
	}
	return p.add(valueNumber, start, p.at, false)
}

// digits reads digits; false if there is none.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.raw) && '0' <= p.raw[p.at] && p.raw[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}
