package rollout

import (
	"encoding/hex"
	"slices"
)

// Restore puts a life on record that Temporal turned out to have, after claims
// were lost with the machine's power. A claim of the same intent that is there
// already is newer, or the same. Lives go by their numbers, which is the order
// they were claimed in, but for a next life, which stood further back.
//
// delayed: its start was delayed; nobody knows whether it was released.
//
// The digest of a keyed request is not known; the first retry brings it.
func (h *Holding) Restore(intent Intent, life uint64, route, owner string, state ClaimState, delayed bool, at Instant) {
	if h.Find(intent) != nil {
		return
	}
	c := Claim{
		Intent: intent, Route: route, Life: life, Path: Temporal, Owner: owner,
		Born: int64(life), Accepted: true, Delayed: delayed,
	}
	if len(intent) == 33 && intent[0] == 'd' {
		_, _ = hex.Decode(c.Digest[:], []byte(intent[1:])) // what is no digit leaves it unknown
	}
	if state != ClaimOpen {
		c.settle(state, at.Now)
	}
	i := slices.IndexFunc(h.Claims, func(other Claim) bool { return other.Life > life })
	if i < 0 {
		i = len(h.Claims)
	}
	h.Claims = slices.Insert(h.Claims, i, c)
}
