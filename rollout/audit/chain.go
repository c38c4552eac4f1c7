package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sluice/rollout"
)

const (
	// maxLine is the longest line, with its newline, in bytes.
	maxLine = 64 << 10
	// beforeHash and afterHash stand around the hash at the end of each line.
	beforeHash, afterHash = `,"hash":"`, `"}`
	digits                = 2 * sha256.Size
	sealLength            = len(beforeHash) + digits + len(afterHash)
)

// genesis is what the first entry has as its predecessor's hash.
var genesis = strings.Repeat("0", digits)

// chain is how far a chain has come.
type chain struct {
	seq  uint64
	hash string // of the last entry; empty if it is not known
}

// ErrTooLong says that an act does not fit into a line.
var ErrTooLong = errors.New("the act is too long for the audit")

// seal makes the act the next entry, and its line, without adding it.
func (c chain) seal(act rollout.Act, now time.Time) (rollout.Entry, []byte, error) {
	if act.Subject == nil {
		act.Subject = map[string]string{}
	}
	// Round(0) drops the monotonic reading: the entry is the one that is read back.
	e := rollout.Entry{Seq: c.seq + 1, Time: now.UTC().Round(0), Act: act, Prev: c.hash}
	body, err := json.Marshal(e, json.Deterministic(true))
	if err != nil {
		return e, nil, fmt.Errorf("an act cannot be put on record: %w", err)
	}
	e.Hash = hashOf(body)
	line := append(body[:len(body)-1], beforeHash...)
	line = append(append(append(line, e.Hash...), afterHash...), '\n')
	if len(line) > maxLine {
		return e, nil, fmt.Errorf("%w: %d bytes instead of at most %d", ErrTooLong, len(line), maxLine)
	}
	return e, line, nil
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// accept adds the line, without its newline, if it is the next entry. Every byte
// of it counts: the hash is over the bytes as they stand, not over their meaning.
func (c *chain) accept(line []byte) (rollout.Entry, error) {
	var e rollout.Entry
	cut := len(line) - sealLength
	if cut < 1 || !bytes.HasPrefix(line[cut:], []byte(beforeHash)) || !bytes.HasSuffix(line, []byte(afterHash)) {
		return e, errors.New("it does not end in a hash")
	}
	body := append(append(make([]byte, 0, cut+1), line[:cut]...), '}')
	if string(line[cut+len(beforeHash):len(line)-len(afterHash)]) != hashOf(body) {
		return e, errors.New("its hash is not that of its contents: one of them was changed")
	}
	if err := json.Unmarshal(line, &e, json.RejectUnknownMembers(true)); err != nil {
		return e, fmt.Errorf("it is not an entry: %w", err)
	}
	switch {
	case e.Seq != c.seq+1:
		return e, fmt.Errorf("it is entry %d and not %d: lines were removed, put in or moved", e.Seq, c.seq+1)
	case c.hash != "" && e.Prev != c.hash:
		return e, errors.New("it does not follow the entry before it, which was replaced")
	}
	c.seq, c.hash = e.Seq, e.Hash
	return e, nil
}
