package operator

import (
	"time"

	"sluice/rollout"
)

// Limits say how long what is merely under way can take.
type Limits struct {
	// Start is how long a request is at work on its start on Temporal, with the
	// wait for the result, at most.
	Start time.Duration
	// Legacy is the same for a request to legacy.
	Legacy time.Duration
	// Horizon is how long a settled claim holds its own retries: what is open for
	// longer is no longer what its client waits for.
	Horizon time.Duration
}

// slack is what clocks may differ by, and a busy gateway be late.
const slack = 5 * time.Second

// why is what keeps a claim open for longer than it should be.
type why string

// The closed set of them. Each claim has the first that applies.
const (
	// whyStuck: Temporal took the document, or may have, and no longer knows it.
	// Only an operator can settle it.
	whyStuck why = "stuck"
	// whyAmbiguous: a start on Temporal, or a request to legacy, has not been
	// settled, and nobody is at work on it. The gateways settle it themselves as
	// soon as they can.
	whyAmbiguous why = "ambiguous"
	// whyOverdue: it is under way, and has been for longer than the horizon.
	whyOverdue why = "overdue"
)

// ambiguous reports whether nobody knows where the document is.
func (w why) ambiguous() bool { return w == whyStuck || w == whyAmbiguous }

// why tells what is wrong with a claim; nothing if it is settled, or merely under
// way.
func (a *api) why(docID string, c *rollout.Claim, now time.Time) why {
	age := func(since int64) time.Duration { return now.Sub(time.UnixMilli(since)) - slack }
	switch {
	case !c.Open():
		return ""
	case c.Stuck:
		return whyStuck
	case c.Path == rollout.Temporal && !c.Accepted && c.Unsettled > 0:
		if age(c.Born) > a.Limits.Start || a.Claims.Suspects(docID, c.Intent, c.Life) {
			return whyAmbiguous
		}
	case c.Path == rollout.Legacy:
		for _, sends := range c.Sends {
			if age(sends.Last) > a.Limits.Legacy {
				return whyAmbiguous
			}
		}
	}
	if age(c.Born) > a.Limits.Horizon {
		return whyOverdue
	}
	return ""
}
