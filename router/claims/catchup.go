package claims

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"sluice/rollout"
)

const (
	// recorders is how many errands are put on record at a time: a store of
	// several gateways makes one transaction of many.
	recorders = 64
	// recordBatch is how many are looked up at a time.
	recordBatch = 2048
	// recordRetry is the pause after the store did not answer.
	recordRetry = 250 * time.Millisecond
	// recordReport is the time between two lines of the log about a long list.
	recordReport = 5 * time.Second
)

// catchUp makes claims for errands whenever there are any and the store answers.
func (b *Book) catchUp(ctx context.Context) {
	a := b.config.Away
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		err := b.recordAll(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		pause := recordRetry
		if !absent(err) {
			pause = lastPause
			a.config.Log.Error("what was sent without a claim cannot be put on record, and keeps the percentage from rising", zap.Error(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			a.nudge()
		}
	}
}

// Leave ends the sending without claims, and reports whether nothing of it is left
// that has no claim.
func (b *Book) Leave(ctx context.Context) bool {
	a := b.config.Away
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	return b.recordAll(ctx) == nil && a.Unrecorded() == 0
}

// recordAll makes claims for all errands that have ended, and for those of dead
// processes. It fails with ErrStore.
func (b *Book) recordAll(ctx context.Context) error {
	a := b.config.Away
	said, done := time.Now(), 0
	for {
		due := a.due(time.Now())
		if len(due) == 0 {
			break
		}
		if err := b.recordSome(ctx, due); err != nil {
			return err
		}
		done += len(due)
		if time.Since(said) > recordReport {
			said = time.Now()
			a.config.Log.Info("what was sent without a claim is put on record", zap.Int("done", done), zap.Int("left", a.Unrecorded()))
		}
	}
	if done > 0 {
		a.config.Log.Info("what was sent without a claim is on record", zap.Int("documents", done), zap.Int("under_way", a.Unrecorded()))
	}
	return nil
}

func (b *Book) recordSome(ctx context.Context, due map[uint64]rollout.Errand) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(recorders)
	for id, e := range due {
		group.Go(func() error {
			err := ctx.Err() // of the first that failed
			if err == nil {
				err = b.record(ctx, e)
			}
			if err == nil {
				b.config.Away.recorded(id)
			}
			return err
		})
	}
	return group.Wait()
}

// due returns errands that can be put on record now, by number: those of earlier
// processes, and of this one those that ended. The others still are what they are
// without a claim: under way on legacy, above every exposure there may be.
func (a *Away) due(now time.Time) map[uint64]rollout.Errand {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := map[uint64]rollout.Errand{}
	for id, p := range a.pending {
		if len(due) == recordBatch {
			break
		}
		switch {
		case p.orphan:
			due[id] = p.Close(now, a.config.LegacyTimeout)
		case !p.Ended.IsZero():
			due[id] = p.Errand
		}
	}
	return due
}

// recorded takes an errand off the list.
func (a *Away) recorded(id uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, id)
}

// record makes the claim of one errand. It fails with ErrStore.
func (b *Book) record(ctx context.Context, e rollout.Errand) error {
	var opened, settled bool
	err := b.update(ctx, e.DocID, func(h *rollout.Holding, at rollout.Instant) error {
		held, open := false, false
		if before := h.Find(e.Intent); before != nil {
			held, open = true, before.Open()
		}
		if err := h.Record(e, time.Now(), at); err != nil {
			return err
		}
		now := h.Find(e.Intent)
		opened = now != nil && (!held || !open && now.Open())
		settled = opened && !now.Open()
		return nil
	})
	if errors.Is(err, rollout.ErrMoved) {
		b.config.Log.Error("a document was sent to legacy without a claim, and its claim is on Temporal: it may be on both",
			zap.String("doc_id", e.DocID), zap.String("intent", string(e.Intent)))
		return nil
	}
	if err == nil && opened {
		b.config.Observer.ClaimTaken(e.Route)
	}
	if err == nil && settled {
		state := rollout.ClaimDone
		if !e.Answered {
			state = rollout.ClaimLost
		}
		b.config.Observer.ClaimSettled(e.Route, rollout.Legacy, state)
	}
	return err
}
