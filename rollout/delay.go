package rollout

import "time"

// Delay registers an attempt to start the life on Temporal although an earlier
// intent of the document is under way there: a start that Temporal holds back for
// the time returned. It is an attempt like any other until it is settled. limit is
// the longest that a run of a route takes.
//
// The delay is the net below Released, for the case that no gateway is left: by
// its end all runs before have reached their limits.
//
// It fails with ErrClaimGone, ErrMoved, or ErrFirst if there is nothing to wait
// for, or Temporal has the start already; then the claim has to be taken again.
func (h *Holding) Delay(intent Intent, life uint64, owner string, limit func(route string) time.Duration, at Instant) (time.Duration, error) {
	c, err := h.life(intent, life)
	switch {
	case err != nil:
		return 0, err
	case c.Path != Temporal:
		return 0, ErrMoved
	case c.Accepted || h.Predecessor(intent) == nil:
		return 0, ErrFirst
	}
	c.Attempts++
	c.Unsettled++
	c.Owner, c.Delayed = owner, true
	// Of several attempts the first to arrive counts; it begins no later.
	c.Begins = max(c.Begins, h.over(intent, limit, at))
	return time.Duration(c.Begins-at.Now.UnixMilli()) * time.Millisecond, nil
}

// over returns when all runs before the intent's have ended at the latest.
func (h *Holding) over(intent Intent, limit func(route string) time.Duration, at Instant) int64 {
	end := at.Now.UnixMilli()
	for i := range h.Claims {
		c := &h.Claims[i]
		if c.Intent == intent {
			break
		}
		if c.Open() && c.Path == Temporal {
			end = max(end, c.Begins) + limit(c.Route).Milliseconds()
		}
	}
	return end
}

// late reports whether the claim may no longer be started: a run of it might still
// be at work when a delayed start behind it begins by itself.
func (h *Holding) late(c *Claim, limit time.Duration, at Instant) bool {
	if c.Path != Temporal || c.Accepted || h.Predecessor(c.Intent) != nil {
		return false
	}
	for i := range h.Claims {
		behind := &h.Claims[i]
		if behind != c && behind.Open() && behind.Delayed && behind.Begins < at.Now.Add(limit).UnixMilli() {
			return true
		}
	}
	return false
}

// Front returns the open claim on Temporal that is the first in claim order, or
// nil. awaited: another one is behind it.
func (h *Holding) Front() (front *Claim, awaited bool) {
	for i := range h.Claims {
		if c := &h.Claims[i]; c.Open() && c.Path == Temporal {
			if front != nil {
				return front, true
			}
			front = c
		}
	}
	return front, false
}

// Releasable reports whether the life's start is delayed and may begin: nothing is
// before it in claim order. It never stops being so, because whoever comes later
// stands behind it. Claims that were lost and restored may have come back in
// another order; so nothing behind it may be running either.
func (h *Holding) Releasable(intent Intent, life uint64) bool {
	c, err := h.life(intent, life)
	if err != nil || !c.Delayed || h.Predecessor(intent) != nil {
		return false
	}
	for i := range h.Claims {
		if other := &h.Claims[i]; other.committed() && !other.Delayed {
			return false
		}
	}
	return true
}

// Released notes that Temporal no longer holds the life's start back. It fails
// with ErrClaimGone, or with ErrNotFirst if it may not begin yet.
func (h *Holding) Released(intent Intent, life uint64) error {
	c, err := h.life(intent, life)
	switch {
	case err != nil:
		return err
	case !c.Delayed:
		return nil
	case !h.Releasable(intent, life):
		return ErrNotFirst
	}
	c.Delayed = false
	return nil
}
