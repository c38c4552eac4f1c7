package rollout

import "time"

// Verdict is what one registered attempt to start on Temporal proved.
type Verdict uint8

// The closed set of verdicts.
const (
	// VerdictUnknown: it may have arrived, or may yet. The attempt stays
	// unsettled.
	VerdictUnknown Verdict = iota
	// VerdictNothing: no byte of it left, or Temporal refused it for good.
	VerdictNothing
	// VerdictAccepted: Temporal has the start of this life.
	VerdictAccepted
)

// Attempted notes how one registered attempt ended. It fails with ErrClaimGone.
func (h *Holding) Attempted(intent Intent, life uint64, verdict Verdict) error {
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	switch verdict {
	case VerdictNothing:
		if c.Unsettled > 0 {
			c.Unsettled--
		}
		if c.Unsettled == 0 && !c.Accepted {
			c.Delayed, c.Begins = false, 0
		}
	case VerdictAccepted:
		c.Accepted = true
	}
	return nil
}

// Ended notes how the life ended on Temporal: ClaimDone, ClaimFailed or
// ClaimDead. It fails with ErrClaimGone; a life that ended before stays ended.
func (h *Holding) Ended(intent Intent, life uint64, state ClaimState, at Instant) error {
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	if c.Path != Temporal {
		return ErrMoved
	}
	c.Accepted = true
	c.settle(state, at.Now)
	return nil
}

// Fenced notes that a tombstone was accepted under the life's workflow ID: none
// of its starts can happen any more. It fails with ErrClaimGone, or with
// ErrMoved if Temporal turned out to have it.
func (h *Holding) Fenced(intent Intent, life uint64) error {
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	if c.Path != Temporal || c.Accepted {
		return ErrMoved
	}
	c.Unsettled, c.Delayed, c.Begins = 0, false, 0
	return nil
}

// Void ends a life in which nothing ran and nothing can. It fails with
// ErrClaimGone, ErrMoved or ErrNotFenced.
func (h *Holding) Void(intent Intent, life uint64, at Instant) error {
	c, err := h.life(intent, life)
	switch {
	case err != nil:
		return err
	case c.Path != Temporal:
		return ErrMoved
	case c.committed():
		return ErrNotFenced
	}
	c.settle(ClaimVoid, at.Now)
	return nil
}

// Move gives the document to legacy and counts the owner's send of this intent
// there. It fails with ErrClaimGone, or with ErrNotFenced if a start of any open
// claim of the document has reached Temporal or still may. If the claim is on
// legacy already, somebody else has moved the document: ErrMoved.
func (h *Holding) Move(intent Intent, life uint64, owner string, at Instant) error {
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	if c.Path == Legacy {
		return ErrMoved
	}
	for i := range h.Claims {
		if h.Claims[i].committed() {
			return ErrNotFenced
		}
	}
	for i := range h.Claims {
		if h.Claims[i].Open() {
			h.Claims[i].Path = Legacy
		}
	}
	c.send(owner, at.Now)
	return nil
}

// Sent notes that one of the owner's requests to legacy ended, answered or not.
// With the last one the claim is settled: Done if every one was answered, else
// Lost. It fails with ErrClaimGone.
func (h *Holding) Sent(intent Intent, owner string, answered bool, at Instant) error {
	c := h.Find(intent)
	if c == nil || !c.Open() || c.Path != Legacy {
		return ErrClaimGone
	}
	broken := c.Broken
	if !answered {
		c.Broken++
	}
	if !c.unsend(owner, 1, at.Now) {
		c.Broken = broken
		return ErrClaimGone
	}
	return nil
}

// Declined is Sent for a request of an intent that goes to legacy once: legacy got
// nothing, or its answer invites a repeat. With the last one the claim is settled
// as Failed, so that a retry goes to legacy again.
func (h *Holding) Declined(intent Intent, owner string, at Instant) error {
	if err := h.Sent(intent, owner, true, at); err != nil {
		return err
	}
	if c := h.Find(intent); c.State == ClaimDone {
		c.State = ClaimFailed
	}
	return nil
}

// Correct sets the number of the owner's requests to legacy that are under way to
// what the owner knows it to be. Those too many are broken.
func (h *Holding) Correct(intent Intent, owner string, underWay uint32, at Instant) {
	c := h.Find(intent)
	if c == nil || !c.Open() {
		return
	}
	for _, sends := range c.Sends {
		if sends.Owner == owner && sends.Count > underWay {
			c.Broken += sends.Count - underWay
			c.unjudged()
			c.unsend(owner, sends.Count-underWay, at.Now)
			return
		}
	}
}

// Adopt takes over what a dead gateway left: to is to settle its claims, and
// what it had sent to legacy is lost once legacy's own time limit has passed
// since. It reports whether anything changed.
func (h *Holding) Adopt(dead, to string, limit time.Duration, at Instant) bool {
	changed := false
	for i := range h.Claims {
		c := &h.Claims[i]
		if !c.Open() {
			continue
		}
		if c.Owner == dead {
			c.Owner, changed = to, true
		}
		for _, sends := range c.Sends {
			if sends.Owner == dead && sends.Last+limit.Milliseconds() <= at.Now.UnixMilli() {
				c.Broken += sends.Count
				c.unjudged()
				changed = c.unsend(dead, sends.Count, at.Now) || changed
				break
			}
		}
		if c.Open() && c.Path == Legacy && len(c.Sends) == 0 {
			c.settle(ClaimVoid, at.Now) // it was moved along with another and never sent
			changed = true
		}
	}
	return changed
}

// Stick notes whether only an operator can settle the life, because Temporal took
// its start, or may have, and does not know it any more. It fails with
// ErrClaimGone, or with ErrMoved if the claim is not on Temporal.
func (h *Holding) Stick(intent Intent, life uint64, stuck bool) error {
	c, err := h.life(intent, life)
	switch {
	case err != nil:
		return err
	case c.Path != Temporal:
		return ErrMoved
	}
	c.Stuck = stuck
	return nil
}

// Force settles a claim by an operator's word, whatever is known of it. It fails
// with ErrClaimGone, or with ErrNotSettling for ClaimOpen.
func (h *Holding) Force(intent Intent, life uint64, state ClaimState, at Instant) error {
	if state == ClaimOpen {
		return ErrNotSettling
	}
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	c.Unsettled, c.Sends = 0, nil
	if c.Path == Temporal && state == ClaimLost {
		h.count(c, EventLost)
	}
	c.unjudged()
	c.settle(state, at.Now)
	return nil
}
