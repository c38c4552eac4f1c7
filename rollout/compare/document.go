package compare

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// valueKind is what a JSON value is.
type valueKind uint8

const (
	valueNull valueKind = iota
	valueFalse
	valueTrue
	valueNumber
	valueString
	valueArray
	valueObject
)

// typeName returns JSON's word for the kind.
func (k valueKind) typeName() string {
	return [...]string{"null", "boolean", "boolean", "number", "string", "array", "object"}[k]
}

// node is a value or a member's name. The nodes of a document stand in its order,
// each container before what it holds; a member is its name and then its value.
type node struct {
	// start and end are where its bytes are; a string's, between the quotes.
	start, end uint32
	// next is the first node that is not inside this one.
	next    uint32
	kind    valueKind
	escaped bool
}

// document is a JSON text as a list of nodes, the first of which is all of it.
type document struct {
	raw   []byte
	nodes []node
	// hashes holds the nodes' hashes where known, else 0; may be nil.
	hashes []uint64
}

// spelling returns the value's bytes as they stand in the text.
func (d *document) spelling(n uint32) []byte {
	it := &d.nodes[n]
	if it.kind == valueString {
		return d.raw[it.start-1 : it.end+1]
	}
	return d.raw[it.start:it.end]
}

// text returns what a string means.
func (d *document) text(n uint32) []byte {
	it := &d.nodes[n]
	if raw := d.raw[it.start:it.end]; !it.escaped {
		return raw
	}
	return unescape(d.raw[it.start:it.end])
}

// length counts an array's elements.
func (d *document) length(n uint32) (count int) {
	for at := n + 1; at < d.nodes[n].next; at = d.nodes[at].next {
		count++
	}
	return count
}

// unescape reads a valid string's escapes. Half a surrogate pair becomes its three
// bytes as if it were a character, so that no two of them look alike.
func unescape(raw []byte) []byte {
	text := make([]byte, 0, len(raw))
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(text, raw...)
		}
		text = append(text, raw[:i]...)
		escape := raw[i+1]
		raw = raw[i+2:]
		if escape != 'u' {
			text = append(text, unescaped(escape))
			continue
		}
		char := hex4(raw)
		raw = raw[4:]
		if utf16.IsSurrogate(char) && len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
			if pair := utf16.DecodeRune(char, hex4(raw[2:])); pair != utf8.RuneError {
				char, raw = pair, raw[6:]
			}
		}
		text = appendChar(text, char)
	}
}

func unescaped(escape byte) byte {
	switch escape {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return escape // a quote, a slash, a backslash
}

func appendChar(text []byte, char rune) []byte {
	if utf16.IsSurrogate(char) {
		return append(text, 0xe0|byte(char>>12), 0x80|byte(char>>6)&0x3f, 0x80|byte(char)&0x3f)
	}
	return utf8.AppendRune(text, char)
}

func hex4(digits []byte) (char rune) {
	for _, c := range digits[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c&^0x20 - 'A' + 10
		}
		char = char<<4 | rune(c)
	}
	return char
}
