package rollout

import (
	"errors"
	"time"
)

// ClaimState is where one life of an intent stands.
//
//	          ┌──────────────── Take again (a retry) ───────────────┐
//	          ▼                                                     │
//	Take ─▶ Open ──┬─ legacy answered ───────────────▶ Done ────────┤ legacy: open again
//	               ├─ legacy's answer was lost ──────▶ Lost ────────┤ Temporal: replayed
//	               ├─ Once: legacy asks for a repeat ▶ Failed ──────┘ Once: Done is replayed
//	               ├─ Temporal: completed ───────────▶ Done
//	               ├─ Temporal: failed, all undone ──▶ Failed ──▶ Take: life + 1, Open
//	               ├─ Temporal: failed, not undone ──▶ Dead (a dead letter; replayed)
//	               ├─ Temporal: an operator gave up ─▶ Lost (as a dead letter)
//	               └─ tombstone: nothing ever ran ───▶ Void ────▶ Take: life + 1, decided afresh
//
// All but Open are settled; a settled claim is forgotten after the horizon.
type ClaimState uint8

// The closed set of states.
const (
	ClaimOpen ClaimState = iota
	// ClaimDone: the path answered for good.
	ClaimDone
	// ClaimFailed: the workflow failed and left nothing behind, and the life is
	// over. Or legacy, to which the intent goes once, did not answer for good.
	ClaimFailed
	// ClaimDead: the workflow failed and may have left something behind.
	ClaimDead
	// ClaimLost: the path may or may not have taken it; nobody will find out. On
	// Temporal, where only an operator says so, it is not run again.
	ClaimLost
	// ClaimVoid: nothing ever ran in this life, and nothing can. It is over.
	ClaimVoid
)

var claimStates = [...]string{"open", "done", "failed", "dead-letter", "lost", "void"}

// ClaimStates lists them all.
func ClaimStates() []ClaimState {
	all := make([]ClaimState, len(claimStates))
	for i := range all {
		all[i] = ClaimState(i)
	}
	return all
}

// ParseClaimState reads the word for a state; false if it is none.
func ParseClaimState(word string) (ClaimState, bool) {
	for i, known := range claimStates {
		if word == known {
			return ClaimState(i), true
		}
	}
	return 0, false
}

// String returns the word used in metrics, logs and the operator's lists.
func (s ClaimState) String() string { return claimStates[s] }

// Claim is the durable record of one life of one intent: which path holds it.
type Claim struct {
	Intent Intent
	// Digest tells requests apart that came under one Idempotency-Key.
	Digest [16]byte
	Route  string
	// Life is minted by the claim's first Take and grows by one with each life.
	Life  uint64
	Path  Path
	State ClaimState
	// Owner is the gateway that is to settle it.
	Owner string
	// Epoch is that of the policy the path was decided under.
	Epoch uint64
	// Born is when this life began, Settled when it was settled, by the store's
	// clock, in milliseconds since 1970. Settled is 0 while the claim is open.
	Born, Settled int64

	// Attempts counts the starts on Temporal that were registered in this life;
	// Unsettled those of them that may still arrive.
	Attempts, Unsettled uint32
	// Accepted: Temporal acknowledged the start.
	Accepted bool
	// Delayed: Temporal may hold a start of this life back, and it was not
	// released yet. Begins is when such a start begins by itself at the latest, as
	// Born; it stays after the release, because the run's time limit was counted
	// from it.
	Delayed bool
	Begins  int64
	// Stuck: Temporal took the start, or may have, and does not know it any more.
	// Only an operator can settle the claim.
	Stuck bool

	// Sends are the requests to legacy that are under way; Broken counts those
	// that ended without an answer since the claim was last opened.
	Sends  []Sends
	Broken uint32

	// Trial is how the intent counts for the guardrails.
	Trial Trial
}

// Sends counts the requests to legacy that one gateway has under way.
type Sends struct {
	Owner string
	Count uint32
	// Last is when the latest of them was allowed, as Claim.Born.
	Last int64
}

// Open reports whether the claim holds its document.
func (c *Claim) Open() bool { return c.State == ClaimOpen }

// committed reports whether Temporal has, or may yet get, this life's start.
func (c *Claim) committed() bool {
	return c.Path == Temporal && c.Open() && (c.Accepted || c.Unsettled > 0)
}

// answered reports whether a retry of the settled claim gets the same answer.
// once: legacy's are kept too.
func (c *Claim) answered(once bool) bool {
	if c.Path == Legacy {
		return once && c.State == ClaimDone
	}
	return c.State == ClaimDone || c.State == ClaimDead || c.State == ClaimLost
}

// settle ends the claim's openness.
func (c *Claim) settle(state ClaimState, now time.Time) {
	c.State, c.Settled, c.Stuck = state, now.UnixMilli(), false
	c.Delayed, c.Begins = false, 0
}

// renew begins the next life.
func (c *Claim) renew(now time.Time) {
	c.Life++
	c.State, c.Born, c.Settled = ClaimOpen, now.UnixMilli(), 0
	c.Attempts, c.Unsettled, c.Accepted, c.Stuck, c.Sends, c.Broken = 0, 0, false, false, nil, 0
	c.Delayed, c.Begins = false, 0
}

// send counts one more request to legacy.
func (c *Claim) send(owner string, now time.Time) {
	c.Owner = owner
	for i := range c.Sends {
		if c.Sends[i].Owner == owner {
			c.Sends[i].Count++
			c.Sends[i].Last = now.UnixMilli()
			return
		}
	}
	c.Sends = append(c.Sends, Sends{Owner: owner, Count: 1, Last: now.UnixMilli()})
}

// unsend takes n requests of the owner's off, and settles the claim with the
// last one. It reports whether there were any.
func (c *Claim) unsend(owner string, n uint32, now time.Time) bool {
	for i := range c.Sends {
		if c.Sends[i].Owner != owner || c.Sends[i].Count < n {
			continue
		}
		if c.Sends[i].Count -= n; c.Sends[i].Count == 0 {
			c.Sends = append(c.Sends[:i:i], c.Sends[i+1:]...)
		}
		if len(c.Sends) == 0 {
			state := ClaimDone
			if c.Broken > 0 {
				state = ClaimLost
			}
			c.settle(state, now)
		}
		return true
	}
	return false
}

// What the operations on a claim fail with. Each leaves everything as it was.
var (
	// ErrKeyReused: the same Idempotency-Key came with another request.
	ErrKeyReused = errors.New("the Idempotency-Key was used for another request")
	// ErrHeld: another intent of the document is open on the other path.
	ErrHeld = errors.New("another request for this document is under way on the other path")
	// ErrClaimGone: there is no such life any more.
	ErrClaimGone = errors.New("the claim is not there any more")
	// ErrMoved: the claim's path is not what the caller thought.
	ErrMoved = errors.New("the claim is on the other path by now")
	// ErrNotFenced: a start may still reach Temporal, so nothing may move.
	ErrNotFenced = errors.New("a start on Temporal is not settled")
	// ErrUnderWay: the same intent, which goes to legacy once, is there now.
	ErrUnderWay = errors.New("the same request is under way")
	// ErrFirst: no earlier intent of the document is under way on Temporal.
	ErrFirst = errors.New("there is nothing to wait for")
	// ErrNotFirst: an earlier intent of the document is under way on Temporal.
	ErrNotFirst = errors.New("an earlier request for this document is under way")
	// ErrLate: a delayed start behind it may begin by itself before a run of it would
	// end.
	ErrLate = errors.New("a later request for this document may begin at any time")
	// ErrNotSettling: open is no state to settle a claim in.
	ErrNotSettling = errors.New("a claim cannot be settled as open")
	// ErrBusy: too many intents of one document are open.
	ErrBusy = errors.New("too many requests for this document are under way")
)
