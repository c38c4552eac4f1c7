package errands

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"time"

	"sluice/rollout"
)

// line is one line: an owner, the beginning of an errand, or its end. Times are in
// microseconds since 1970.
type line struct {
	Owner string `json:"owner,omitzero"`
	Boot  string `json:"boot,omitzero"`

	ID     uint64         `json:"id,omitzero"`
	DocID  string         `json:"doc_id,omitzero"`
	Intent rollout.Intent `json:"intent,omitzero"`
	Digest string         `json:"digest,omitzero"`
	Route  string         `json:"route,omitzero"`
	Began  int64          `json:"began,omitzero"`

	Ended    int64 `json:"ended,omitzero"`
	Answered bool  `json:"answered,omitzero"`
}

func begun(id uint64, e rollout.Errand) line {
	return line{ID: id, DocID: e.DocID, Intent: e.Intent, Digest: hex.EncodeToString(e.Digest[:]), Route: e.Route, Began: e.Began.UnixMicro()}
}

// errand is the errand that a line began for the owner; false if it began none.
func (n *line) errand(owner string) (rollout.Errand, bool) {
	e := rollout.Errand{DocID: n.DocID, Intent: n.Intent, Route: n.Route, Owner: owner, Began: time.UnixMicro(n.Began)}
	_, err := hex.Decode(e.Digest[:], []byte(n.Digest))
	return e, err == nil && len(n.Digest) == 2*len(e.Digest) && n.Intent != "" && n.Began != 0
}

// parse returns what the lines say, and the highest number in them. What cannot be
// read was not written by a process that died, but lost with the machine's power.
func (l *Log) parse(text []byte) (left Left, last uint64) {
	whole, owner := true, ""
	at := map[uint64]int{} // in left.Errands
	for row := range bytes.Lines(text) {
		var n line
		if err := json.Unmarshal(row, &n); err != nil {
			whole = false
			continue
		}
		last = max(last, n.ID)
		i, known := at[n.ID]
		switch {
		case n.Owner != "":
			owner = n.Owner
			left.Owners = append(left.Owners, owner)
			whole = whole && n.Boot != "" && n.Boot == l.boot
		case n.Ended != 0 && known:
			left.Errands[i].Ended, left.Errands[i].Answered = time.UnixMicro(n.Ended), n.Answered
		case n.Ended != 0:
			whole = false
		default:
			e, ok := n.errand(owner)
			if whole = whole && ok; ok {
				at[n.ID] = len(left.Errands)
				left.Errands = append(left.Errands, e)
			}
		}
	}
	if !whole {
		left.Owners = nil
	}
	return left, last
}

// bootID names this boot of the machine; empty if that cannot be told.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
