package rollout

import "time"

// Act is something done by hand, or by the control loop, that goes on the record.
type Act struct {
	// Actor is who did it.
	Actor string `json:"actor"`
	// Action is what was done, a word of a closed set, such as claim-settle.
	Action string `json:"action"`
	// Subject is what it was done to, by name.
	Subject map[string]string `json:"subject"`
	// Reason is why, in the actor's words.
	Reason string `json:"reason"`
}

// Entry is an act on the record. The entries form a chain: each holds the hash of
// the one before, so that none can be changed, dropped or put in without a trace.
// The order of the fields is that of the canonical encoding.
type Entry struct {
	// Seq counts the entries from 1.
	Seq uint64 `json:"seq"`
	// Time is when it was recorded, in UTC.
	Time time.Time `json:"time"`
	Act
	// Prev is the hash of the entry before; see package audit for the first.
	Prev string `json:"prev"`
	// Hash is the SHA-256 of the entry's canonical encoding without it, in
	// hexadecimal digits.
	Hash string `json:"hash,omitzero"`
}
