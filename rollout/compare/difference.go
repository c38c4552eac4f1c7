package compare

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is how two values differ.
type Kind uint8

// The closed set of kinds.
const (
	// KindMissing: the primary has it, the shadow has not. KindExtra: the other
	// way round.
	KindMissing Kind = iota + 1
	KindExtra
	// KindType: two JSON types, such as a string and a number.
	KindType
	// KindPrimitive: two strings, numbers or booleans.
	KindPrimitive
	// KindTolerance: two numbers, further apart than a tolerance allows.
	KindTolerance
	// KindOrder: an array with the same elements in another order.
	KindOrder
	// KindLength: two arrays of different lengths.
	KindLength
	// KindDuplicate: a member's name stands more often in one object than in the
	// other.
	KindDuplicate
	// KindDigest: two bodies, neither of them JSON.
	KindDigest
	// KindMedia: one body is JSON, the other is not and does not claim to be.
	KindMedia
	// KindMalformed: a body that is called JSON and is not, such as one cut short.
	KindMalformed
	// KindStatus: two statuses.
	KindStatus
	// KindHeader: two values of a header field.
	KindHeader
)

var kinds = [...]string{"", "missing", "extra", "type", "primitive", "tolerance", "order", "length",
	"duplicate", "digest", "media", "malformed", "status", "header"}

// Kinds lists them all.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kinds))
	for i := range kinds[1:] {
		all = append(all, Kind(i+1))
	}
	return all
}

// String returns the word used in logs and reports.
func (k Kind) String() string { return kinds[k] }

// MarshalText returns the kind's word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's word.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kinds[1:], string(text))
	if i < 0 {
		return fmt.Errorf("%q is no kind of difference", text)
	}
	*k = Kind(i + 1)
	return nil
}

// Difference is one place where two answers differ.
type Difference struct {
	// Pointer is the JSON Pointer to the place in the primary's body, or in the
	// shadow's where the primary has no such place. Empty is the whole body.
	Pointer string `json:"pointer"`
	// ShadowPointer is the place in the shadow's body if that is another one: in
	// arrays that are compared without their order.
	ShadowPointer string `json:"shadow_pointer,omitempty"`
	// Pattern is the field: the pointer with * for each index. It can be used as a
	// rule's pattern as it is.
	Pattern string `json:"pattern"`
	Kind    Kind   `json:"kind"`
	// Primary and Shadow are the two values as they were spelt, cut at
	// Limits.Shown, or words on them; empty where there is none.
	Primary string `json:"primary"`
	Shadow  string `json:"shadow"`
}

// Bounds of what names a place, in bytes: a member's name, and all of them. What
// is longer ends in an ellipsis, and matches no rule.
const (
	maxName    = 256
	maxPointer = 1024
)

const ellipsis = "…"

// cut returns valid UTF-8 of at most limit bytes, or a little more by an ellipsis.
func cut(text []byte, limit int) string {
	if len(text) <= limit {
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	end := limit
	for end > limit-utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.ToValidUTF8(string(text[:end]), "\uFFFD") + ellipsis
}

// appendName appends a member's name to a pointer, or to a pattern, where a name
// that would be a wildcard is written with ~2.
func appendName(to, name []byte, pattern bool) []byte {
	to = append(to, '/')
	if len(name) > maxName {
		name = []byte(cut(name, maxName))
	}
	wild := pattern && (string(name) == "*" || string(name) == "**")
	for _, c := range name {
		switch {
		case c == '~':
			to = append(to, "~0"...)
		case c == '/':
			to = append(to, "~1"...)
		case c == '*' && wild:
			to = append(to, "~2"...)
		default:
			to = append(to, c)
		}
	}
	return to
}
