package rollout

import (
	"errors"
	"strings"
)

// MaxIDSpace is the longest name of a space of ids, in bytes.
const MaxIDSpace = 64

// spaceMark begins the identities of documents in a space of ids: "%space:NAME/" stands
// before what the identity would be without one. No tenant's scope begins so, for in it
// only 25 and 2F follow a percent sign.
const spaceMark = "%space:"

// ErrIDSpace says that a name is none of a space of ids.
var ErrIDSpace = errors.New("must be letters, digits, - and _, at most 64 of them")

// CheckIDSpace returns nil if the name can be that of a space of ids, or is empty, which
// stands for the one space that has no name; else ErrIDSpace.
func CheckIDSpace(name string) error {
	if len(name) > MaxIDSpace {
		return ErrIDSpace
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return ErrIDSpace
		}
	}
	return nil
}

// Enter puts the document into a space of ids, given its tenant's scope: no document of
// another space has its identity. In the space without a name an identity stays what it
// is, unless a client has sent one that looks like another space's. So where no space has
// a name, nothing enters any.
func (d *Document) Enter(space string) {
	if space != "" || strings.HasPrefix(d.Identity(), spaceMark) {
		d.Scope = spaceMark + space + "/" + d.Scope
	}
}
