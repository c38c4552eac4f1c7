package claims

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Errands keeps what was sent without a claim, over this process's death.
type Errands interface {
	// Begin notes an errand before it is sent; if it fails nothing may be sent.
	Begin(e rollout.Errand) (id uint64, err error)
	// End notes how one ended.
	End(id uint64, answered bool, at time.Time) error
	// Clear forgets them all: each has a claim.
	Clear() error
}

// AwayConfig configures an Away. All fields but Left and Succeeds are needed.
type AwayConfig struct {
	Errands Errands
	// Left are the errands of earlier processes, and Succeeds their names, as far
	// as these are all of them.
	Left     []rollout.Errand
	Succeeds []string
	// Owner names this gateway's process, as Config.Owner.
	Owner string
	// Limit is how long after the last accord documents are sent without a claim.
	Limit time.Duration
	// LegacyTimeout and Horizon are how long an errand may be at work after it was
	// sent, and how long its retries are held after that.
	LegacyTimeout, Horizon time.Duration
	Log                    *zap.Logger
}

// Away sends documents on to legacy without a claim while the store is away, and
// makes their claims when it is back. It is safe for concurrent use.
//
//	             ┌──────────── the store answers: a new accord ────────────┐
//	             ▼                                                         │
//	no accord ─▶ floor agreed ─── store away ──▶ passing at or above it ───┤
//	             ▲   (claims are made)                                     │ limit
//	             └── accord ◀── everything on record ◀── back ◀── 503 ◀────┘
//
// Invariants:
//   - A document passes only at or above the floor that all gateways agreed to
//     leave to it, and only for Limit after the accord was asked for, by whichever
//     clock has gone further.
//   - The floor that is pledged is never below what passed and has no claim yet. It
//     is raised here before the pledge is sent, and lowered after it was taken.
type Away struct {
	config AwayConfig
	wake   chan struct{} // holds one wake-up: there may be something to put on record

	mu       sync.Mutex
	floor    rollout.Exposure   // guarded by mu
	agreed   time.Time          // when the last accord was asked for; guarded by mu
	closed   bool               // nothing passes any more; guarded by mu
	writing  int                // errands that are being begun; guarded by mu
	pending  map[uint64]pending // without a claim, by number; guarded by mu
	kept     bool               // Errands holds some; guarded by mu
	succeeds []string           // guarded by mu
	offered  bool               // the last pledge named those; guarded by mu
}

// pending is an errand that has no claim yet.
type pending struct {
	rollout.Errand
	orphan bool // its process is gone
}

// NewAway returns an Away that lets nothing pass before the first accord.
func NewAway(config AwayConfig) *Away {
	a := &Away{
		config: config, wake: make(chan struct{}, 1), floor: rollout.All,
		pending: map[uint64]pending{}, kept: len(config.Left) > 0, succeeds: config.Succeeds,
	}
	for i, e := range config.Left {
		a.pending[math.MaxUint64-uint64(i)] = pending{e, true} // new ones count from the other end
	}
	a.nudge()
	return a
}

func (a *Away) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Floor returns the lowest exposure whose outside passes now; All if nothing does.
func (a *Away) Floor() rollout.Exposure {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.holds(time.Now()) {
		return rollout.All
	}
	return a.floor
}

// holds reports whether the accord still stands. a.mu is held.
func (a *Away) holds(now time.Time) bool {
	if a.closed || a.agreed.IsZero() {
		return false
	}
	// The monotonic clock stands still while the machine sleeps, the wall clock can
	// be set.
	return max(now.Sub(a.agreed), now.Round(0).Sub(a.agreed.Round(0))) < a.config.Limit
}

// Unrecorded returns how many errands have no claim yet.
func (a *Away) Unrecorded() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unrecorded()
}

func (a *Away) unrecorded() int { return a.writing + len(a.pending) }

// Pledge returns what this gateway promises, given the exposure that it itself and
// the leader seek. It keeps the promise from now on.
//
// While something has no claim the floor stays. That of a dead process's errands is
// the process's own, whose pledge ends only once they have claims.
func (a *Away) Pledge(want, sought rollout.Exposure) rollout.Pledge {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return rollout.Pledge{}
	}
	p := rollout.Pledge{Floor: a.floor, For: a.config.Limit + a.config.LegacyTimeout + a.config.Horizon}
	a.offered = a.unrecorded() == 0
	if a.offered {
		p.Floor, p.Succeeds = max(want, sought), a.succeeds
		a.floor = max(a.floor, p.Floor)
	}
	return p
}

// Agreed notes the accord that was asked for at a time, after Pledge.
func (a *Away) Agreed(asked time.Time, accord rollout.Accord) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.floor, a.agreed = accord.Floor, asked
	if a.offered {
		a.succeeds = nil
	}
	if err := a.clear(); err != nil {
		a.config.Log.Warn("the list of what was sent without a claim cannot be emptied", zap.Error(err))
	}
}

// clear forgets what is kept once all of it has claims, and the names of the dead
// once they are succeeded. a.mu is held.
func (a *Away) clear() error {
	if a.unrecorded() > 0 || len(a.succeeds) > 0 || !a.kept {
		return nil
	}
	err := a.config.Errands.Clear()
	a.kept = err != nil
	return err
}

// pass makes the ticket one for legacy without a claim, and reports whether it may.
// why is what taking the claim failed with.
func (a *Away) pass(t *Ticket, ask *rollout.Ask, why error) bool {
	now := time.Now()
	e := rollout.Errand{DocID: t.DocID, Intent: t.Intent, Digest: ask.Digest, Route: ask.Route, Owner: a.config.Owner, Began: now}
	if !absent(why) || !a.reserve(ask, now) {
		return false
	}
	id, err := a.config.Errands.Begin(e)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writing--
	a.kept = true
	if err != nil {
		a.config.Log.Warn("a document is not sent on: what is sent without a claim must be kept, and cannot be", zap.Error(err))
		return false
	}
	a.pending[id] = pending{Errand: e}
	t.errand = id
	t.Grant = rollout.Grant{Step: rollout.StepSend, Path: rollout.Legacy, Reason: rollout.ReasonStoreAway}
	return true
}

// reserve counts an errand from before it is written, so that no pledge overlooks
// it. It reports whether it may pass.
func (a *Away) reserve(ask *rollout.Ask, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.holds(now) || !ask.PassesAway(a.floor) {
		return false
	}
	a.writing++
	return true
}

// end notes how the errand ended.
func (a *Away) end(id uint64, answered bool) error {
	now := time.Now()
	a.mu.Lock()
	e := a.pending[id]
	e.Ended, e.Answered = now, answered
	a.pending[id] = e
	a.mu.Unlock()
	a.nudge()
	return a.config.Errands.End(id, answered, now)
}

// absent reports whether a claim could not be taken because the store does not
// answer, or not in time: not because of what it answers.
func absent(err error) bool {
	return errors.Is(err, rollout.ErrStoreAway) || errors.Is(err, rollout.ErrOutcomeUnknown) || errors.Is(err, context.DeadlineExceeded)
}
