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
	// open breaker, workers that have not declared what they must.
	Temporal bool
	Why      Reason
	// Owner is the asking gateway.
	Owner string
	// Once: the gateway keeps legacy's answer to this intent, so that a retry gets
	// that one and does not go to legacy again.
	Once bool
	// Granted: the request was granted this intent before, and takes its claim again. It
	// is no repeat of itself, whatever came meanwhile.
	Granted bool
	// Touch: the request changes the document by another way than the route, so it is
	// legacy's, whatever the policy says. It is not a retry of any other.
	Touch bool
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
	// Intent is the claim's: the one that was asked for, or, where that was followed
	// by others, the wish that its repeat is.
	Intent Intent
	Step   Step
	Path   Path
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
// A request without a key is a retry only while no other intent of the document came
// after it. After that the same bytes are a new wish: what another version replaced is
// to be stored again.
//
// With Once a retry goes to legacy again only if the claim ended there without an
// answer for good, and never while another is under way.
//
// It fails with ErrKeyReused, ErrHeld, ErrLate, ErrBusy or ErrUnderWay.
func (h *Holding) Take(ask Ask, at Instant) (Grant, error) {
	h.forget(at)
	if ask.Touch {
		return h.touch(ask, at)
	}
	c, name, err := h.wish(&ask)
	if err != nil {
		return Grant{}, err
	}
	if c != nil {
		if c.Digest != ask.Digest && !c.takes(&ask) {
			return Grant{}, ErrKeyReused
		}
		c.Digest = ask.Digest
		return h.again(c, ask, at)
	}
	if h.Open() >= MaxOpen {
		return Grant{}, ErrBusy
	}
	ask.Intent = name
	decision := h.decide(ask, at)
	claim := h.add(&ask, decision, at)
	h.tryNew(claim, &ask, decision.Reason, at)
	return h.proceed(claim, ask, decision.Reason, at), nil
}

// tryNew makes a claim that was decided for the given reason count, if the hash placed
// its document.
func (h *Holding) tryNew(c *Claim, ask *Ask, why Reason, at Instant) {
	switch why {
	case ReasonClaim, ReasonSize, ReasonBreaker, ReasonWorkers:
		return
	}
	if ask.Counts {
		h.try(c, ask.Bucket, min(ask.Own, at.Policy.Exposure()))
	}
}

// add puts a new claim at the end of the line. A life that the store has forgotten was
// smaller than any clock's milliseconds are now.
func (h *Holding) add(ask *Ask, d Decision, at Instant) *Claim {
	h.Claims = append(h.Claims, Claim{
		Intent: ask.Intent, Digest: ask.Digest, Route: ask.Route, Life: uint64(at.Now.UnixMilli()),
		Path: d.Path, Owner: ask.Owner, Epoch: d.Epoch, Born: at.Now.UnixMilli(),
	})
	return &h.Claims[len(h.Claims)-1]
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
	case c.Open() && !h.late(c, ask.Limit, at) && (c.committed() || ask.Granted || !h.replaced(c)):
	case c.Open() && c.Unsettled > 0:
		return Grant{}, ErrLate
	case c.Open(): // nothing of it is anywhere: it goes to the end of the line
		c.renew(at.Now)
		c = h.toEnd(c.Intent)
	case !ask.Granted && h.replaced(c):
		return h.anew(c, ask, at), nil
	case c.answered(ask.Once):
		return Grant{Intent: c.Intent, Step: StepReplay, Path: c.Path, Reason: ReasonClaim, Life: c.Life, Epoch: c.Epoch}, nil
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
		c = h.reopen(c, path, ask.Owner, at)
	}
	return h.proceed(c, ask, ReasonClaim, at), nil
}

// reopen opens a settled claim on a path, at the end of the line. On Temporal, and
// coming from there, it is the next life.
func (h *Holding) reopen(c *Claim, path Path, owner string, at Instant) *Claim {
	switch {
	case c.Open(): // it was renewed
	case c.Path == Temporal || path == Temporal:
		c.renew(at.Now)
	default:
		c.State, c.Settled, c.Broken = ClaimOpen, 0, 0
	}
	c.Path, c.Owner = path, owner
	return h.toEnd(c.Intent)
}

// toEnd makes the intent's claim, which there is, the last in claim order.
func (h *Holding) toEnd(intent Intent) *Claim {
	last := len(h.Claims) - 1
	for i := range h.Claims {
		if h.Claims[i].Intent == intent && i != last {
			c := h.Claims[i]
			h.Claims = append(append(h.Claims[:i:i], h.Claims[i+1:]...), c)
			break
		}
	}
	return &h.Claims[last]
}

// proceed says what comes next for an open claim, and notes it.
func (h *Holding) proceed(c *Claim, ask Ask, reason Reason, at Instant) Grant {
	g := Grant{Intent: c.Intent, Path: c.Path, Reason: reason, Life: c.Life, Epoch: c.Epoch}
	switch {
	case c.Path == Legacy: // it is written once more, after all others
		h.toEnd(c.Intent).send(ask.Owner, at.Now)
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
