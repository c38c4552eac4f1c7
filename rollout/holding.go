package rollout

import "time"

const (
	// MaxOpen bounds the open intents of one document; one more is refused.
	MaxOpen = 256
	// MaxSettled bounds its settled ones; of more, the oldest are forgotten before
	// their horizon, so that a document that changes all the time does not make
	// its record ever larger.
	MaxSettled = 1024
)

// Holding is all that is remembered of one document: its claims, in claim order.
// Its methods are pure: they read no clock, and those that fail change nothing.
//
// Invariants:
//   - All open claims are on one path, the Holder.
//   - A claim on Temporal moves to legacy only if no start of it, nor of any
//     other open claim of the document, has reached Temporal or still may.
//   - A life that ended never opens again; the next one has a higher number.
//   - A life begins on Temporal only when no open claim is before it in claim
//     order. One whose start is delayed is on Temporal before that, and begins
//     when it is released.
type Holding struct {
	DocID string
	// Version grows by one with each stored change; 0 means that nothing is
	// stored. It is the store's.
	Version uint64
	Claims  []Claim
	// LastBad is when the last bad event of the document was counted for the
	// guardrails, as Claim.Born; 0 if none was.
	LastBad int64
	// Counts are what a change is for the guardrails. It is no part of the record:
	// a store empties it before the change, and adds it up with what it stores.
	Counts []Count
}

// Instant is what a store tells an operation, as of its own transaction.
type Instant struct {
	// Now is the store's clock.
	Now time.Time
	// Policy is the one in force. It may allow less than the caller thought.
	Policy *Policy
	// Horizon is how long a settled claim holds its own retries.
	Horizon time.Duration
}

// Find returns the intent's claim, or nil.
func (h *Holding) Find(intent Intent) *Claim {
	for i := range h.Claims {
		if h.Claims[i].Intent == intent {
			return &h.Claims[i]
		}
	}
	return nil
}

// life returns the open claim of one life.
func (h *Holding) life(intent Intent, life uint64) (*Claim, error) {
	if c := h.Find(intent); c != nil && c.Life == life && c.Open() {
		return c, nil
	}
	return nil, ErrClaimGone
}

// Holder returns the path that holds the document; false if no claim is open.
func (h *Holding) Holder() (Path, bool) {
	for i := range h.Claims {
		if h.Claims[i].Open() {
			return h.Claims[i].Path, true
		}
	}
	return Legacy, false
}

// Predecessor returns the open claim on Temporal that is next before the
// intent's in claim order, or nil.
func (h *Holding) Predecessor(intent Intent) *Claim {
	var before *Claim
	for i := range h.Claims {
		c := &h.Claims[i]
		if c.Intent == intent {
			return before
		}
		if c.Open() && c.Path == Temporal {
			before = c
		}
	}
	return nil
}

// Expires returns when the holding can be forgotten, by the store's clock in
// milliseconds since 1970; 0 while a claim is open.
func (h *Holding) Expires(horizon time.Duration) int64 {
	var last int64
	for i := range h.Claims {
		c := &h.Claims[i]
		if c.Open() {
			return 0
		}
		last = max(last, c.Settled+horizon.Milliseconds())
	}
	return last
}

// forget drops the claims whose horizon has passed, and the oldest of too many.
func (h *Holding) forget(at Instant) {
	settled := len(h.Claims) - h.Open()
	kept := h.Claims[:0:0]
	for _, c := range h.Claims {
		if !c.Open() {
			if settled > MaxSettled || c.Settled+at.Horizon.Milliseconds() <= at.Now.UnixMilli() {
				settled--
				continue
			}
		}
		kept = append(kept, c)
	}
	h.Claims = kept
}

// Open counts the open claims.
func (h *Holding) Open() (n int) {
	for i := range h.Claims {
		if h.Claims[i].Open() {
			n++
		}
	}
	return n
}
