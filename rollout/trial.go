package rollout

import "time"

// Trial is how an intent counts for the guardrails: by intention to treat, in the
// arm that the hash gave it when it was first decided, whichever path took it, and
// once. Its zero value is one that does not count: it was not placed by the hash,
// or while a breaker was open or workers had not declared what they must.
type Trial struct {
	// Counts: the hash placed the document, under Exposure, in the Arm.
	Counts   bool
	Arm      Path
	Exposure Exposure
	// Ended: its first final outcome was counted, or never will be. Timed: it was
	// held against the thresholds. Placed: it was counted as EventPlaced.
	Ended, Timed, Placed bool
}

// Fate is a document's final outcome, as guardrails see it.
type Fate uint8

// The closed set of fates.
const (
	// FateUnknown: the end of a request that says nothing of the path.
	FateUnknown Fate = iota
	FateGood
	FateBad
	// FateInvalid: answered 4xx.
	FateInvalid
	// FateDead: bad, and a dead letter.
	FateDead
	// FateWithdrawn: the client was not let in. It says nothing of the path, and only
	// legacy takes such documents.
	FateWithdrawn
)

// FateOf returns what an outcome is for the guardrails. Accepted is no end.
func FateOf(o Outcome) Fate {
	switch {
	case o.Bad():
		return FateBad
	case o == OutcomeOK:
		return FateGood
	case o == OutcomeInvalid:
		return FateInvalid
	}
	return FateUnknown
}

// Thresholds are the latencies above which a document is slow, on either arm: five
// times legacy's median, 90th and 99th percentile. The zero value judges nothing.
type Thresholds [3]time.Duration

// Slowest returns the highest.
func (t Thresholds) Slowest() time.Duration { return max(t[0], t[1], t[2]) }

// Ending is how a request, or a run, ended.
type Ending struct {
	Fate Fate
	// Took is how long the path was at work; 0 if unknown: then it is not timed.
	Took time.Duration
	// Thresholds are those in force.
	Thresholds Thresholds
}

// try makes a new claim count, if it is to. exposure is what was in force when its
// document was placed.
func (h *Holding) try(c *Claim, bucket Bucket, exposure Exposure) {
	c.Trial = Trial{Counts: true, Exposure: exposure}
	if exposure.Includes(bucket) {
		c.Trial.Arm = Temporal
	}
	h.count(c, EventAssigned)
	if c.Trial.Placed = len(h.Claims) == 1; c.Trial.Placed {
		h.count(c, EventPlaced)
	}
}

// count adds one event of the claim's document to Counts.
func (h *Holding) count(c *Claim, e Event) {
	h.Counts = append(h.Counts, Count{Epoch: c.Epoch, Exposure: c.Trial.Exposure, Arm: c.Trial.Arm, Event: e, Times: 1})
}

// Judge counts how a request or a run of the intent ended, if it is the first to
// end with a fate. It changes nothing else, and nothing if there is no such claim.
func (h *Holding) Judge(intent Intent, end Ending, at Instant) {
	if c := h.Find(intent); c != nil {
		h.judge(c, end, at)
	}
}

func (h *Holding) judge(c *Claim, end Ending, at Instant) {
	if !c.Trial.Counts || c.Trial.Ended || end.Fate == FateUnknown {
		return
	}
	c.Trial.Ended = true
	if end.Fate == FateWithdrawn {
		c.Trial.Timed = true
		if c.Trial.Placed {
			h.count(c, EventWithdrawn)
		}
		return
	}
	bad := end.Fate == FateBad || end.Fate == FateDead
	if bad && !h.countsAgain(at) {
		return
	}
	switch end.Fate {
	case FateGood:
		h.count(c, EventGood)
	case FateInvalid:
		h.count(c, EventInvalid)
	case FateDead:
		h.count(c, EventDeadLetter)
		fallthrough
	default:
		h.count(c, EventBad)
	}
	if bad || end.Took > 0 {
		h.time(c, end.Took, end.Thresholds, bad)
	}
}

// countsAgain reports whether a bad event of the document counts, and notes it.
func (h *Holding) countsAgain(at Instant) bool {
	last := time.Time{}
	if h.LastBad != 0 {
		last = time.UnixMilli(h.LastBad)
	}
	if !CountsAgain(last, at.Now) {
		return false
	}
	h.LastBad = at.Now.UnixMilli()
	return true
}

// time holds a document of either arm against the thresholds. One that is bad is
// slow, however soon it failed.
func (h *Holding) time(c *Claim, took time.Duration, t Thresholds, bad bool) {
	if c.Trial.Timed || t == (Thresholds{}) {
		return
	}
	c.Trial.Timed = true
	h.count(c, EventTimed)
	for i, limit := range t {
		if bad || took > limit {
			h.count(c, EventSlow50+Event(i))
		}
	}
}

// Finish is Ended for a run that Temporal told of, and counts how it ended.
func (h *Holding) Finish(intent Intent, life uint64, run *Run, state ClaimState, t Thresholds, at Instant) error {
	end := Ending{Fate: run.Fate(state == ClaimDead), Thresholds: t}
	if c := h.Find(intent); c != nil {
		end.Took = run.took(c, at.Now)
	}
	if err := h.Ended(intent, life, state, at); err != nil {
		return err
	}
	h.Judge(intent, end, at)
	return nil
}

// FellBack counts the open claims that Move has moved as bad ones of Temporal: the
// hash gave them to it.
func (h *Holding) FellBack(t Thresholds, at Instant) {
	for i := range h.Claims {
		if c := &h.Claims[i]; c.Open() && c.Trial.Arm == Temporal {
			h.judge(c, Ending{Fate: FateBad, Thresholds: t}, at)
		}
	}
}

// Linger notes that an open life goes on, as seen now: it is slow once it is older
// than the slowest threshold, and bad once it is older than the evidence's horizon,
// whatever comes of it. It fails with ErrClaimGone.
func (h *Holding) Linger(intent Intent, life uint64, t Thresholds, horizon time.Duration, at Instant) error {
	c, err := h.life(intent, life)
	if err != nil {
		return err
	}
	age := c.Age(at.Now)
	if c.Trial.Counts && !c.Trial.Timed && c.slow(t, age) {
		h.time(c, age, t, false)
	}
	if age >= horizon {
		h.judge(c, Ending{Fate: FateBad, Thresholds: t}, at)
	}
	return nil
}

// Lingers reports whether Linger would count something.
func (c *Claim) Lingers(t Thresholds, horizon time.Duration, now time.Time) bool {
	age := c.Age(now)
	return c.Trial.Counts && (!c.Trial.Timed && c.slow(t, age) || !c.Trial.Ended && age >= horizon)
}

// slow reports whether a run of that age is slow already. One whose start was
// delayed has an age that says nothing.
func (c *Claim) slow(t Thresholds, age time.Duration) bool {
	return c.Trial.Arm == Temporal && c.Begins == 0 && t != (Thresholds{}) && age > t.Slowest()
}

// Age is how long ago the life began.
func (c *Claim) Age(now time.Time) time.Duration { return now.Sub(time.UnixMilli(c.Born)) }

// unjudged says that the claim's outcome will never be counted: what became of it
// says something of the gateways, and nothing of the path.
func (c *Claim) unjudged() {
	if c.Trial.Counts {
		c.Trial.Ended, c.Trial.Timed = true, true
	}
}
