package claims

import (
	"context"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// keepLease gives signs of life, and takes over what those without leave behind.
func (b *Book) keepLease(ctx context.Context) {
	ticker := time.NewTicker(b.config.Lease / 3)
	defer ticker.Stop()
	for {
		if err := b.tend(ctx); err != nil && ctx.Err() == nil {
			b.config.Log.Warn("open claims of other gateways cannot be looked after now", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tend renews the lease and adopts.
func (b *Book) tend(ctx context.Context) error {
	limit, cancel := b.bounded(ctx)
	err := b.config.Roll.Renew(limit, b.config.Owner, b.config.Lease)
	var dead []string
	if err == nil {
		dead, err = b.config.Roll.Dead(limit, b.config.Owner)
	}
	cancel()
	b.noteGone(dead, time.Now()) // nobody, after an error: who is seen again is not gone
	if err != nil || len(dead) == 0 {
		return err
	}
	return b.config.Roll.Open(ctx, func(h *rollout.Holding) error { return b.adopt(ctx, h) })
}

// noteGone remembers since when each of the dead is known to be.
func (b *Book) noteGone(dead []string, now time.Time) {
	gone := map[string]time.Time{}
	for _, owner := range dead {
		gone[owner] = now
		if since, known := b.gone[owner]; known {
			gone[owner] = since
		}
	}
	b.gone = gone
}

// given is how long ago a request must have been sent that is given up, if its gateway
// is gone since then. A client may have waited for long before that: what counts is how
// long legacy can go on with a request that nobody waits for any more.
func (b *Book) given(since time.Time) time.Duration {
	if time.Since(since) < b.config.LegacyTimeout {
		return never
	}
	return 0
}

// never is longer ago than anything.
const never = 100 * 365 * 24 * time.Hour

// adopt takes over the claims of dead gateways on one document.
func (b *Book) adopt(ctx context.Context, seen *rollout.Holding) error {
	for _, owner := range ownersOf(seen) {
		since, dead := b.gone[owner]
		if !dead {
			continue
		}
		var after []rollout.Claim
		err := b.update(ctx, seen.DocID, func(h *rollout.Holding, at rollout.Instant) error {
			h.Adopt(owner, b.config.Owner, b.given(since), at)
			after = h.Claims
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range after {
			b.adopted(seen, c)
		}
	}
	return nil
}

// adopted sees to one claim after an adoption.
func (b *Book) adopted(seen *rollout.Holding, c rollout.Claim) {
	before := seen.Find(c.Intent)
	if before == nil || !before.Open() || before.Life != c.Life {
		return
	}
	if !c.Open() {
		b.config.Observer.ClaimSettled(c.Route, c.Path, c.State)
		return
	}
	if c.Path == rollout.Temporal && c.Owner == b.config.Owner {
		b.suspects.add(suspect{docID: seen.DocID, intent: c.Intent, life: c.Life})
	}
}

// ownersOf lists the gateways that have something open in the holding.
func ownersOf(h *rollout.Holding) []string {
	var owners []string
	seen := map[string]bool{}
	note := func(owner string) {
		if !seen[owner] {
			seen[owner] = true
			owners = append(owners, owner)
		}
	}
	for i := range h.Claims {
		if !h.Claims[i].Open() {
			continue
		}
		note(h.Claims[i].Owner)
		for _, s := range h.Claims[i].Sends {
			note(s.Owner)
		}
	}
	return owners
}
