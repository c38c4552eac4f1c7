package rollout

import "time"

// Ask is a request's wish to go somewhere.
type Ask struct {
	Intent Intent
	Digest [16]byte
	Route  string
	Bucket Bucket
	// Oversize: Temporal cannot hold the document.
	Oversize bool
	// Temporal: the gateway itself would let a new document go to Temporal. If
	// not, Why says what it knows that the store does not: a lower ceiling, an
	// open breaker.
	Temporal bool
	Why      Reason
	// Owner is the asking gateway.
	Owner string
	// Once: the gateway keeps legacy's answer to this intent, so that a retry gets
	// that one and does not go to legacy again.
	Once bool
	// Limit is the longest that a run of the route takes.
	Limit time.Duration
	// Counts: a new document counts for the guardrails, if the hash places it. Own is
	// the exposure that the gateway itself goes by, which may be lower than the
	// store's.
	Counts bool
	Own    Exposure
}

// Step is what a granted request does next.
type Step uint8

// The closed set of steps.
const (
	// StepSend: send to legacy. The send is counted in the claim.
	StepSend Step = iota
	// StepStart: start on Temporal. The attempt is registered in the claim.
	StepStart
	// StepJoin: Temporal has the start of this life; wait for its end.
	StepJoin
	// StepReplay: the life ended on Temporal, or Once on legacy; answer with how, as
	// far as that is known.
	StepReplay
	// StepWait: an earlier intent of the document is under way on Temporal.
	StepWait
)

// Grant is the answer to an Ask.
type Grant struct {
	Step Step
	Path Path
	// Reason is why the path is what it is.
	Reason Reason
	Life   uint64
	Epoch  uint64
	// Predecessor is whom StepWait waits for.
	Predecessor *Claim
}

// Take claims the document for the intent, or finds the claim that is there.
//
// An open claim outranks everything. A settled one holds its own retries: on
// legacy they go there again, on Temporal they get the same answer, or the next
// life after a failure that left nothing behind. Only an intent that has no claim,
// with nothing else open, is decided by the policy.
//
// With Once a retry goes to legacy again only if the claim ended there without an
// answer for good, and never while another is under way.
//
// It fails with ErrKeyReused, ErrHeld, ErrLate, ErrBusy or ErrUnderWay.
func (h *Holding) Take(ask Ask, at Instant) (Grant, error) {
	h.forget(at)
	if c := h.Find(ask.Intent); c != nil {
		switch c.Digest {
		case [16]byte{}: // restored without it
			c.Digest = ask.Digest
		case ask.Digest:
		default:
			return Grant{}, ErrKeyReused
		}
		return h.again(c, ask, at)
	}
	if h.open() >= MaxOpen {
		return Grant{}, ErrBusy
	}
	decision := h.decide(ask, at)
	// A life that the store has forgotten was smaller than any clock's
	// milliseconds are now.
	c := Claim{
		Intent: ask.Intent, Digest: ask.Digest, Route: ask.Route, Life: uint64(at.Now.UnixMilli()),
		Path: decision.Path, Owner: ask.Owner, Epoch: decision.Epoch, Born: at.Now.UnixMilli(),
	}
	h.Claims = append(h.Claims, c)
	claim := &h.Claims[len(h.Claims)-1]
	if ask.Counts && decision.Reason != ReasonClaim && decision.Reason != ReasonSize && decision.Reason != ReasonBreaker {
		h.try(claim, ask.Bucket, min(ask.Own, at.Policy.Exposure()))
	}
	return h.proceed(claim, ask, decision.Reason, at), nil
}

// decide is for an intent that has no claim.
func (h *Holding) decide(ask Ask, at Instant) Decision {
	d := at.Policy.Decide(Question{Bucket: ask.Bucket, Oversize: ask.Oversize})
	if holder, held := h.Holder(); held {
		d.Path, d.Reason = holder, ReasonClaim
		return d
	}
	if d.Path == Temporal && !ask.Temporal {
		d.Path, d.Reason = Legacy, ask.Why
	}
	return d
}

// again is for an intent that has a claim.
func (h *Holding) again(c *Claim, ask Ask, at Instant) (Grant, error) {
	switch {
	case c.Open() && ask.Once && len(c.Sends) > 0:
		return Grant{}, ErrUnderWay
	case c.Open() && !h.late(c, ask.Limit, at):
	case c.Open() && c.Unsettled > 0:
		return Grant{}, ErrLate
	case c.Open(): // nothing of it is anywhere: it goes to the end of the line
		c.renew(at.Now)
		h.toEnd(c.Intent)
		c = h.Find(ask.Intent)
	case c.answered(ask.Once):
		return Grant{Step: StepReplay, Path: c.Path, Reason: ReasonClaim, Life: c.Life, Epoch: c.Epoch}, nil
	default: // it opens again, unless the document is under way elsewhere
		path := c.Path
		if c.State == ClaimVoid {
			path = h.decide(ask, at).Path // it never ran anywhere
		}
		if holder, held := h.Holder(); held && holder != path {
			return Grant{}, ErrHeld
		}
		if c.State == ClaimVoid && path != c.Trial.Arm {
			c.unjudged() // it says nothing of the arm that the hash gave it
		}
		if c.Path == Temporal {
			c.renew(at.Now)
		} else {
			c.State, c.Settled, c.Broken = ClaimOpen, 0, 0
		}
		c.Path, c.Owner = path, ask.Owner
		h.toEnd(c.Intent)
		c = h.Find(ask.Intent)
	}
	return h.proceed(c, ask, ReasonClaim, at), nil
}

// toEnd makes the intent's claim the last in claim order.
func (h *Holding) toEnd(intent Intent) {
	for i := range h.Claims {
		if h.Claims[i].Intent == intent {
			c := h.Claims[i]
			h.Claims = append(append(h.Claims[:i:i], h.Claims[i+1:]...), c)
			return
		}
	}
}

// proceed says what comes next for an open claim, and notes it.
func (h *Holding) proceed(c *Claim, ask Ask, reason Reason, at Instant) Grant {
	g := Grant{Path: c.Path, Reason: reason, Life: c.Life, Epoch: c.Epoch}
	switch {
	case c.Path == Legacy:
		c.send(ask.Owner, at.Now)
		g.Step = StepSend
	case c.Accepted:
		g.Step = StepJoin
	default:
		if before := h.Predecessor(c.Intent); before != nil {
			copied := *before
			g.Step, g.Predecessor = StepWait, &copied
			return g
		}
		c.Attempts++
		c.Unsettled++
		c.Owner = ask.Owner
		g.Step = StepStart
	}
	return g
}
