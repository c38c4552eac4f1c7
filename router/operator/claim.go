package operator

import (
	"time"

	"sluice/rollout"
)

// Claim is one life of one intent, as the API shows it.
type Claim struct {
	DocID  string         `json:"doc_id"`
	Intent rollout.Intent `json:"intent"`
	Life   uint64         `json:"life"`
	Route  string         `json:"route"`
	Path   string         `json:"path"`
	State  string         `json:"state"`
	// Ambiguous: what was sent for it may or may not have arrived, and nobody is
	// at work on it.
	Ambiguous bool `json:"ambiguous"`
	// Why is the word for what keeps it open for longer than it should be: stuck,
	// ambiguous or overdue. It is empty for one that is merely under way.
	Why string `json:"why,omitempty"`
	// Stalled says what keeps its run on Temporal from getting on, as Temporal tells now:
	// a workflow task that fails again and again, say. Of a long list only the oldest are
	// asked about.
	Stalled string `json:"stalled,omitempty"`
	// Owner is the gateway that is to settle it.
	Owner string `json:"owner"`
	// Epoch is that of the policy that its path was decided under.
	Epoch uint64 `json:"epoch"`
	// Born is when the life began, Settled when it was settled, by the store's
	// clock. Age is the time since Born, in seconds, by the gateway's.
	Born    time.Time `json:"born"`
	Settled time.Time `json:"settled,omitzero"`
	Age     float64   `json:"age"`
	// Attempts are the starts on Temporal that were registered, Unsettled those
	// that may still arrive. Accepted: Temporal has acknowledged one.
	Attempts  uint32 `json:"attempts"`
	Unsettled uint32 `json:"unsettled"`
	Accepted  bool   `json:"accepted"`
	// Delayed: Temporal holds the start back until those before it have ended.
	Delayed bool `json:"delayed"`
	// Sends are the requests to legacy under way; Broken those without an answer.
	Sends  []Sends `json:"sends,omitempty"`
	Broken uint32  `json:"broken"`
}

// Sends are the requests to legacy that one gateway has under way.
type Sends struct {
	Owner string    `json:"owner"`
	Count uint32    `json:"count"`
	Last  time.Time `json:"last"`
}

// shown returns the claim as the API shows it.
func (a *api) shown(docID string, c *rollout.Claim, now time.Time) Claim {
	born := time.UnixMilli(c.Born).UTC()
	why := a.why(docID, c, now)
	s := Claim{
		DocID: docID, Intent: c.Intent, Life: c.Life, Route: c.Route, Path: c.Path.String(), State: c.State.String(),
		Ambiguous: why.ambiguous(), Why: string(why), Owner: c.Owner, Epoch: c.Epoch, Born: born, Age: now.Sub(born).Seconds(),
		Attempts: c.Attempts, Unsettled: c.Unsettled, Accepted: c.Accepted, Delayed: c.Delayed, Broken: c.Broken,
	}
	if c.Settled > 0 {
		s.Settled = time.UnixMilli(c.Settled).UTC()
	}
	for _, sends := range c.Sends {
		s.Sends = append(s.Sends, Sends{Owner: sends.Owner, Count: sends.Count, Last: time.UnixMilli(sends.Last).UTC()})
	}
	return s
}
