package compare

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrPattern says that a text is not a JSON Pointer pattern.
var ErrPattern = errors.New("not a JSON Pointer")

// Pattern is a JSON Pointer (RFC 6901) that may stand for many places:
//
//	/meta/id         one place
//	/items/*/id      * is any one member or element
//	/items/0/id      an index is that element only; in an array that is compared as
//	                 a set no index is known, and only * matches
//	/**/id           ** is any number of members and elements, none included
//	/meta/**         at the end it is at least one: all in meta, not meta itself
//	                 (the empty text) the whole document
//	status           no pointer: the status, within its class
//	header:Location  no pointer: a header field, in any letter case
//
// In a token ~0 is ~, ~1 is /, as in any JSON Pointer, and ~2 is *: /~2 is the
// member called *. Only a whole token * or ** is special, so /a*b is the member
// called a*b. Neighbouring ** are one.
type Pattern struct {
	text   string
	tokens []token
	// head is FieldStatus, or a FieldHeader with its name; empty for a pointer.
	head string
	// deep: a token is **.
	deep bool
}

// token is one step of a pattern.
type token struct {
	text string
	// index is the text as an array index, or -1.
	index     int
	any, deep bool
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// ParsePattern reads a pattern. It fails with ErrPattern and what is wrong.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: text}
	switch {
	case text == "":
		return p, nil
	case text == FieldStatus:
		return Pattern{text: text, head: text}, nil
	case strings.HasPrefix(text, FieldHeader):
		name := strings.TrimSpace(text[len(FieldHeader):])
		if name == "" || strings.ContainsAny(name, " \t/:*") {
			return Pattern{}, fmt.Errorf("%w: a header field is written header:Location", ErrPattern)
		}
		return Pattern{text: text, head: FieldHeader + name}, nil
	case !utf8.ValidString(text):
		return Pattern{}, fmt.Errorf("%w: it is not valid UTF-8", ErrPattern)
	case text[0] == '#':
		return Pattern{}, fmt.Errorf("%w: write it as it is, not as the fragment of a URL", ErrPattern)
	case text[0] != '/':
		return Pattern{}, fmt.Errorf("%w: it must begin with /, as in /items/*/id, or be status or header:Location", ErrPattern)
	}
	for part := range strings.SplitSeq(text[1:], "/") {
		t, err := parseToken(part)
		if err != nil {
			return Pattern{}, err
		}
		if last := len(p.tokens) - 1; t.deep && last >= 0 && p.tokens[last].deep {
			continue
		}
		p.tokens = append(p.tokens, t)
		p.deep = p.deep || t.deep
	}
	return p, nil
}

func parseToken(part string) (token, error) {
	switch part {
	case "*":
		return token{any: true, index: -1}, nil
	case "**":
		return token{deep: true, index: -1}, nil
	}
	for rest := part; ; {
		at := strings.IndexByte(rest, '~')
		if at < 0 {
			break
		}
		if rest = rest[at+1:]; rest == "" || rest[0] < '0' || rest[0] > '2' {
			return token{}, fmt.Errorf("%w: ~ stands alone in %q; it is written ~0", ErrPattern, part)
		}
	}
	text := strings.NewReplacer("~0", "~", "~1", "/", "~2", "*").Replace(part)
	t := token{text: text, index: -1}
	if index, err := strconv.Atoi(text); err == nil && strconv.Itoa(index) == text && index >= 0 {
		t.index = index
	}
	return t, nil
}

// Covers reports whether the field, a Difference's Pattern, is at or below a place
// that the pattern stands for. An index in the pattern covers nothing, because
// fields have none.
func (p Pattern) Covers(field string) bool {
	if p.head != "" {
		return strings.EqualFold(p.head, field)
	}
	if field == "" {
		return len(p.tokens) == 0
	}
	if field[0] != '/' {
		return false
	}
	place, err := ParsePattern(field)
	return err == nil && p.covers(place.tokens)
}

// covers matches by going through the place once, with the set of the positions
// in the pattern that are reached.
func (p Pattern) covers(place []token) bool {
	m := matcher{patterns: []Pattern{p}}
	now := m.start(nil)
	for i := 0; ; i++ {
		for _, s := range now {
			if int(s.at) == len(p.tokens) {
				return true
			}
		}
		if i == len(place) {
			return false
		}
		now = m.step(nil, now, &step{key: []byte(place[i].text), blind: place[i].any})
	}
}
