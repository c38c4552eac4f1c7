package rollout

import "time"

// Errand is one request that went to legacy without a claim, while the store was
// away. Its times are those of the machine that sent it.
type Errand struct {
	DocID  string
	Intent Intent
	Digest [16]byte
	Route  string
	// Owner is the gateway that sent it.
	Owner string
	// Began is when it was sent, Ended when it ended; zero while it may still be
	// at work in legacy.
	Began, Ended time.Time
	// Answered: legacy's answer came, or legacy provably got nothing.
	Answered bool
}

// Close returns the errand as it is at the time now, if its owner is gone: what has
// not ended within legacy's own time limit is lost.
func (e Errand) Close(now time.Time, limit time.Duration) Errand {
	if e.Ended.IsZero() && since(e.Began, now) >= limit {
		e.Ended = e.Began.Add(limit)
	}
	return e
}

// since is how long ago t was: by the wall clock or by the monotonic one, which
// stands still while the machine sleeps; whichever makes it shorter, so that what
// is kept for some time is kept for too long rather than not long enough.
func since(t, now time.Time) time.Duration {
	return max(0, min(now.Sub(t), now.Round(0).Sub(t.Round(0))))
}

// Record puts an errand on record, as of the time now on the errand's machine. An
// errand that ended is settled as of its end, and one whose horizon has passed
// leaves nothing. One that has not ended is open, until its owner is found dead.
// To do it again changes nothing.
//
// It fails with ErrMoved if the document's claim is on Temporal, which Pledge
// rules out.
func (h *Holding) Record(e Errand, now time.Time, at Instant) error {
	h.forget(at)
	ended := at.Now.Add(-since(e.Ended, now)).UnixMilli()
	if !e.Ended.IsZero() && ended+at.Horizon.Milliseconds() <= at.Now.UnixMilli() {
		return nil
	}
	holder, held := h.Holder()
	c := h.Find(e.Intent)
	if held && holder == Temporal || c != nil && c.Path == Temporal {
		return ErrMoved
	}
	began := at.Now.Add(-since(e.Began, now)).UnixMilli()
	if c == nil {
		h.Claims = append(h.Claims, Claim{
			Intent: e.Intent, Digest: e.Digest, Route: e.Route, Life: uint64(at.Now.UnixMilli()), Path: Legacy,
			State: ClaimVoid, Owner: e.Owner, Epoch: at.Policy.Epoch, Born: began,
		})
		c = &h.Claims[len(h.Claims)-1]
	}
	if e.Ended.IsZero() {
		c.underWay(e.Owner, began)
		return nil
	}
	c.ran(e.Answered, ended)
	return nil
}

// underWay makes the claim hold a request of the owner's that nobody knows to have
// ended.
func (c *Claim) underWay(owner string, began int64) {
	if !c.Open() {
		c.State, c.Settled, c.Broken = ClaimOpen, 0, 0
	}
	for i := range c.Sends {
		if c.Sends[i].Owner == owner {
			return
		}
	}
	c.Sends = append(c.Sends, Sends{Owner: owner, Count: 1, Last: began})
}

// ran notes a request that ended. The last one's end is the claim's.
func (c *Claim) ran(answered bool, ended int64) {
	state := ClaimDone
	if !answered {
		state = ClaimLost
	}
	switch {
	case c.Open():
		if !answered && c.Broken == 0 {
			c.Broken = 1
		}
	case ended > c.Settled:
		c.State, c.Settled = state, ended
	}
}
