package rollout

// takes reports whether the claim can be that of another request under its key. What
// legacy serves, and answers each time, is legacy's to judge; and where nothing ever
// ran there is nothing to take for an answer. A claim that was restored has no digest.
func (c *Claim) takes(ask *Ask) bool {
	return c.Digest == [16]byte{} || c.Path == Legacy && !ask.Once || c.State == ClaimVoid
}

// wish returns the claim that the request is a retry of. Without one it returns the
// name of the new claim. It fails with ErrBusy.
func (h *Holding) wish(ask *Ask) (*Claim, Intent, error) {
	c := h.Find(ask.Intent)
	if !ask.Intent.unkeyed() || ask.Granted {
		return c, ask.Intent, nil
	}
	open := 0
	for i := range h.Claims {
		if other := &h.Claims[i]; other.Intent.unkeyed() && other.Digest == ask.Digest && ask.Digest != [16]byte{} {
			c = other // the last one
			if c.committed() {
				open++
			}
		}
	}
	if c == nil || !c.committed() || !h.replaced(c) {
		return c, ask.Intent, nil
	}
	// It goes on, so its repeat stands in line too. There is one at most, or two clients
	// that repeat two versions all the time would make the line ever longer.
	if open > 1 {
		return nil, "", ErrBusy
	}
	name := RepeatedIntent(ask.Intent, c.Life)
	return h.Find(name), name, nil
}

// replaced reports whether a repeat of the claim's request is a new wish: it has no key,
// and another intent of the document came after it, so what was answered says nothing
// of what is stored now. What legacy has not answered for good stays there.
func (h *Holding) replaced(c *Claim) bool {
	if !c.Intent.unkeyed() || c.State == ClaimVoid || c.Path == Legacy && c.State != ClaimDone {
		return false
	}
	for i := len(h.Claims) - 1; &h.Claims[i] != c; i-- {
		if h.Claims[i].State != ClaimVoid { // else nothing of it ran
			return true
		}
	}
	return false
}

// touch claims the document for a request that only legacy takes. It goes there in
// order with what is in flight on Temporal: ErrHeld until that has ended. What comes
// after it is kept off Temporal while it is under way, and no retry of what was before.
func (h *Holding) touch(ask Ask, at Instant) (Grant, error) {
	if holder, held := h.Holder(); held && holder == Temporal {
		return Grant{}, ErrHeld
	}
	c := h.Find(ask.Intent)
	if c == nil {
		c = h.add(&ask, Decision{Path: Legacy, Epoch: at.Policy.Epoch}, at)
	} else if !c.Open() {
		c.State, c.Settled, c.Broken = ClaimOpen, 0, 0
	}
	return h.proceed(c, ask, ReasonClaim, at), nil
}

// anew decides a settled claim afresh, because its request is a new wish. Its life gets
// a number as of now, so that lives stand in the order of their claims.
func (h *Holding) anew(c *Claim, ask Ask, at Instant) Grant {
	decision := h.decide(ask, at)
	c.Life = max(c.Life, uint64(at.Now.UnixMilli())-1)
	c.Epoch, c.Trial = decision.Epoch, Trial{}
	c.renew(at.Now)
	c = h.reopen(c, decision.Path, ask.Owner, at)
	h.tryNew(c, &ask, decision.Reason, at)
	return h.proceed(c, ask, decision.Reason, at)
}
