package claims

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// Register is what LegacyOnly asks of the store.
type Register interface {
	// Open visits every holding with an open claim, until visit fails.
	Open(ctx context.Context, visit func(*rollout.Holding) error) error
	// Books returns the books of all gateways that ever used the store.
	Books(ctx context.Context) (rollout.Books, error)
}

// LegacyOnlyConfig configures a LegacyOnly. All fields but Agreed and Outdated are
// needed.
type LegacyOnlyConfig struct {
	Register Register
	// Policy returns what is in force on this gateway.
	Policy func() *rollout.Policy
	// Agreed returns what all gateways agreed on; nil if there is but this one.
	Agreed func() *rollout.Policy
	// Outdated is as in Config.
	Outdated func() bool
	// Horizon is how long a settled claim holds its own retries.
	Horizon time.Duration
	// Timeout bounds one look at the store.
	Timeout time.Duration
}

// LegacyOnly knows whether nothing of any document can be on Temporal, so that a
// request without a claim can neither double one nor overtake it:
//
//   - no gateway may start anything there, and no document is to be mirrored;
//   - no claim is open there, by a look at all of them once a second, which began
//     after the policy came into force and is no more than seconds old;
//   - none was settled there within the horizon, whose retry must not run again:
//     either nothing ever was, by the books, or nothing was seen for that long.
//
// Whatever is not known means no. Only Watch looks; Holds is cheap.
type LegacyOnly struct {
	config LegacyOnlyConfig
	found  atomic.Pointer[quiet]

	since  time.Time // owned by Watch; the first of the looks in a row that found nothing
	during epochs    // owned by Watch; what was in force in all of them
	never  bool      // owned by Watch; nothing ever was on Temporal
}

// quiet is a look that found nothing on Temporal.
type quiet struct {
	during epochs
	until  time.Time // the next one is to have come by then
}

// epochs are those of the policies that were in force.
type epochs struct{ own, agreed uint64 }

// NewLegacyOnly returns one that says no until Watch has looked.
func NewLegacyOnly(config LegacyOnlyConfig) *LegacyOnly {
	if config.Outdated == nil {
		config.Outdated = func() bool { return false }
	}
	return &LegacyOnly{config: config}
}

// Holds reports whether nothing can be on Temporal now.
func (l *LegacyOnly) Holds() bool {
	found := l.found.Load()
	if found == nil || time.Now().After(found.until) {
		return false
	}
	now, idle := l.idle()
	return idle && now == found.during
}

// idle reports whether nothing may go to Temporal by the policies in force.
func (l *LegacyOnly) idle() (now epochs, idle bool) {
	own := l.config.Policy()
	now.own, idle = own.Epoch, quiescent(own) && !l.config.Outdated()
	if l.config.Agreed != nil {
		agreed := l.config.Agreed()
		now.agreed = agreed.Epoch
		idle = idle && agreed.Epoch > 0 && quiescent(agreed) // 0: it is not known yet
	}
	return now, idle
}

func quiescent(p *rollout.Policy) bool {
	return p.Exposure() == rollout.None && (p.Kill || p.Shadow == rollout.None)
}

const (
	// emptyInterval is how often the open claims are looked at.
	emptyInterval = time.Second
	// emptySoon is the pause while it is not known what gateways agree on.
	emptySoon = 100 * time.Millisecond
	// emptyShare is how much less than all the time is spent on it.
	emptyShare = 20
	// emptyGrace is how late a look may be before the one before it counts no more.
	emptyGrace = 2 * time.Second
)

// Look looks once. It must not be called while Watch runs.
func (l *LegacyOnly) Look(ctx context.Context) (pause time.Duration) {
	begun := time.Now()
	holds := l.look(ctx, begun)
	pause = max(emptyInterval, emptyShare*time.Since(begun))
	if holds {
		l.found.Store(&quiet{l.during, time.Now().Add(pause + emptyGrace)})
	} else {
		l.found.Store(nil)
	}
	if l.config.Agreed != nil && l.config.Agreed().Epoch == 0 {
		pause = emptySoon // what is agreed on will be known at once, or the store is away
	}
	return pause
}

// Watch looks until ctx ends.
func (l *LegacyOnly) Watch(ctx context.Context) {
	for {
		pause := l.Look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

var errOnTemporal = errors.New("a claim is open on Temporal")

// look looks at the store once, if it could find what is wanted there.
func (l *LegacyOnly) look(ctx context.Context, begun time.Time) (holds bool) {
	now, idle := l.idle()
	if !idle {
		l.since = time.Time{}
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, l.config.Timeout)
	defer cancel()
	err := l.config.Register.Open(ctx, func(h *rollout.Holding) error {
		if path, open := h.Holder(); open && path == rollout.Temporal {
			return errOnTemporal
		}
		return nil
	})
	if err == nil && (l.since.IsZero() || l.during != now) {
		l.since, l.during = begun, now
		l.never, err = l.untouched(ctx)
	}
	if err != nil {
		l.since = time.Time{}
		return false
	}
	return l.never || begun.Sub(l.since) >= l.config.Horizon
}

// untouched reports whether no claim ever was settled on Temporal.
func (l *LegacyOnly) untouched(ctx context.Context) (bool, error) {
	books, err := l.config.Register.Books(ctx)
	for i := range books {
		for _, n := range books[i].Tally[rollout.Temporal] {
			if n > 0 {
				return false, err
			}
		}
	}
	return err == nil, err
}
