package compare

import (
	"errors"
	"fmt"
)

// What stops the reading of a body at its limits.
var (
	errTooMany = errors.New("too many values")
	errTooDeep = errors.New("nested too deep")
)

// parser reads one JSON text, by RFC 8259 to the letter, except that bytes in
// strings need not be UTF-8. encoding/json would read it at a tenth of the speed
// and hide duplicate members.
type parser struct {
	raw    []byte
	at     int
	nodes  []node
	limits Limits
}

// parse reads a body. It fails with where and why it is not JSON; why is set
// instead if it is beyond the limits. The nodes may take the place of room.
func parse(raw []byte, limits Limits, room []node) (d document, why Why, err error) {
	if len(raw) > limits.Bytes || uint64(len(raw)) >= 1<<32 {
		return document{}, WhyTooLong, nil
	}
	p := parser{raw: raw, limits: limits, nodes: room[:0]}
	if likely := min(len(raw)/8+4, 4096); cap(room) < likely {
		p.nodes = make([]node, 0, likely)
	}
	err = p.value(0)
	if p.space(); err == nil && p.at < len(raw) {
		err = p.wrong("something follows the value")
	}
	switch {
	case errors.Is(err, errTooMany):
		return document{}, WhyTooMany, nil
	case errors.Is(err, errTooDeep):
		return document{}, WhyTooDeep, nil
	case err != nil:
		return document{}, WhyNone, err
	}
	return document{raw: raw, nodes: p.nodes}, WhyNone, nil
}

// wrong returns what is wrong where the parser stands.
func (p *parser) wrong(what string) error {
	if p.at >= len(p.raw) {
		what = "the text breaks off"
	}
	return fmt.Errorf("byte %d: %s", p.at, what)
}

func (p *parser) space() {
	for p.at < len(p.raw) {
		switch p.raw[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is no space, or 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.raw) && p.raw[p.at] > ' ' {
		return p.raw[p.at]
	}
	p.space()
	if p.at < len(p.raw) {
		return p.raw[p.at]
	}
	return 0
}

// add appends a node that holds no other.
func (p *parser) add(kind valueKind, start, end int, escaped bool) error {
	if len(p.nodes) >= p.limits.Values {
		return errTooMany
	}
	p.nodes = append(p.nodes, node{})
	it := &p.nodes[len(p.nodes)-1] // filled in its place, not copied there
	it.start, it.end, it.next = uint32(start), uint32(end), uint32(len(p.nodes))
	it.kind, it.escaped = kind, escaped
	return nil
}

func (p *parser) value(depth int) error {
	switch c := p.peek(); {
	case c == '{':
		return p.container(valueObject, '}', depth)
	case c == '[':
		return p.container(valueArray, ']', depth)
	case c == '"':
		return p.string()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't':
		return p.literal("true", valueTrue)
	case c == 'f':
		return p.literal("false", valueFalse)
	case c == 'n':
		return p.literal("null", valueNull)
	}
	return p.wrong("a value is missing")
}

func (p *parser) container(kind valueKind, end byte, depth int) error {
	if depth >= p.limits.Depth {
		return errTooDeep
	}
	self := len(p.nodes)
	if err := p.add(kind, p.at, p.at, false); err != nil {
		return err
	}
	p.at++
	if p.peek() != end {
		if err := p.contents(kind, end, depth); err != nil {
			return err
		}
	}
	p.at++
	p.nodes[self].end, p.nodes[self].next = uint32(p.at), uint32(len(p.nodes))
	return nil
}

// contents reads up to the closing bracket.
func (p *parser) contents(kind valueKind, end byte, depth int) error {
	for {
		if kind == valueObject {
			if p.peek() != '"' {
				return p.wrong("a member's name is missing")
			}
			if err := p.string(); err != nil {
				return err
			}
			if p.peek() != ':' {
				return p.wrong("a colon is missing")
			}
			p.at++
		}
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.peek() {
		case end:
			return nil
		case ',':
			p.at++
		default:
			return p.wrong("a comma or a closing bracket is missing")
		}
	}
}

func (p *parser) literal(word string, kind valueKind) error {
	end := p.at + len(word)
	if end > len(p.raw) || string(p.raw[p.at:end]) != word {
		return p.wrong("neither true, false nor null")
	}
	p.at = end
	return p.add(kind, end-len(word), end, false)
}
