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
	// resolvers is how many lives are looked at at a time.
	resolvers = 8
	// looks is how many are in a second, at most. Each costs Temporal two calls or
	// three, of the 2,400 a second that it allows all gateways and workers together:
	// without a bound a backlog would take from the workers what they need to end it.
	looks = 100
)

// safety is taken off Temporal's retention: a tombstone of a life that is older
// would prove nothing, because Temporal may have forgotten the run by now.
const safety = time.Hour

// Run resolves, keeps the lease and adopts what dead gateways left, until ctx
// ends.
func (b *Book) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { b.keepLease(ctx); return nil })
	if b.config.Away != nil {
		group.Go(func() error { b.catchUp(ctx); return nil })
	}
	for range resolvers {
		group.Go(func() error {
			for {
				s, ok := b.suspects.next(ctx)
				if !ok {
					return nil
				}
				b.look(ctx, s)
				rest(ctx, resolvers*time.Second/looks)
			}
		})
	}
	return group.Wait()
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// look settles one life if that can be done now, or sees to it later.
func (b *Book) look(ctx context.Context, s suspect) {
	settled, longest, err := b.resolve(ctx, s)
	switch {
	case err != nil && ctx.Err() == nil:
		b.config.Log.Debug("a claim could not be settled yet", zap.String("doc_id", s.docID), zap.String("intent", string(s.intent)), zap.Error(err))
		fallthrough
	case !settled:
		b.suspects.again(s, longest)
	default:
		b.suspects.done(s)
	}
}

// resolve settles the life by what Temporal says of it. settled: nothing is left
// to do; else the next look is due after longest, or before. It fails if the store
// or Temporal cannot be asked.
func (b *Book) resolve(ctx context.Context, s suspect) (settled bool, longest time.Duration, err error) {
	if s.unsure {
		c, err := b.reconcile(ctx, s)
		if err != nil || c == nil {
			return err == nil, lastPause, err
		}
		s.life = c.Life
	}
	h, err := b.Get(ctx, s.docID)
	if err != nil {
		return false, lastPause, err
	}
	c := h.Find(s.intent)
	if c == nil || c.Life != s.life || !c.Open() || c.Path != rollout.Temporal {
		return true, 0, nil // legacy's are settled by their own requests, or by adoption
	}
	if held(h, c) {
		b.attend(h) // its turn comes when what is before it has ended
		return false, lastPause, nil
	}
	front, awaited := h.Front()
	awaited = awaited && front.Intent == s.intent
	settled, err = b.ask(ctx, s, c)
	if awaited && err == nil {
		return settled, awaitedPause, nil
	}
	return settled, lastPause, err
}

// ask settles an open life on Temporal by what Temporal says of it.
func (b *Book) ask(ctx context.Context, s suspect, c *rollout.Claim) (settled bool, err error) {
	t := &Ticket{book: b, route: c.Route, DocID: s.docID, Intent: s.intent, Grant: rollout.Grant{Life: s.life}}
	run, found, err := b.config.Temporal.Lookup(ctx, c.Route, t.WorkflowID())
	switch {
	case errors.Is(err, rollout.ErrFenced) && c.Accepted:
		return false, t.stick(ctx) // it was there, it is not, and the tombstone came later
	case errors.Is(err, rollout.ErrFenced):
		return t.void(ctx)
	case err != nil:
		return false, err
	case found && run.State == rollout.RunRunning:
		b.noteStalled(s, c.Route, run)
		return false, errors.Join(t.goesOn(ctx, c), t.lingers(ctx, c))
	case found:
		return true, t.Ended(ctx, run)
	}
	return b.missing(ctx, t, c)
}

// missing settles a life whose run Temporal does not know.
func (b *Book) missing(ctx context.Context, t *Ticket, c *rollout.Claim) (settled bool, err error) {
	if !c.Accepted && c.Unsettled == 0 {
		return true, t.Abandon(ctx)
	}
	retention, err := b.config.Temporal.Retention(ctx)
	if err != nil {
		return false, err
	}
	if c.Accepted || time.Since(time.UnixMilli(c.Born)) > retention-safety {
		return false, errors.Join(t.stick(ctx), t.lingers(ctx, c))
	}
	held, err := b.config.Temporal.Fence(ctx, t.WorkflowID())
	if err != nil || held {
		return false, err // held: the next look finds the run
	}
	return t.void(ctx)
}

// void ends a life that a tombstone has fenced off. If it was moved or accepted
// meanwhile it is not settled: the next look goes by what is on record then.
func (t *Ticket) void(ctx context.Context) (settled bool, err error) {
	err = t.settled(ctx, func(h *rollout.Holding, at rollout.Instant) error {
		if err := h.Fenced(t.Intent, t.Life); err != nil {
			return err
		}
		return h.Void(t.Intent, t.Life, at)
	})
	switch {
	case errors.Is(err, rollout.ErrMoved):
		return false, nil
	case errors.Is(err, rollout.ErrClaimGone):
		return true, nil
	}
	return err == nil, err
}

// goesOn notes that Temporal has the life's run, and lets it begin if it may.
func (t *Ticket) goesOn(ctx context.Context, c *rollout.Claim) error {
	if err := t.accepted(ctx, c); err != nil || !c.Delayed {
		return err
	}
	return t.release(ctx)
}

// accepted notes that Temporal has the life's run.
func (t *Ticket) accepted(ctx context.Context, c *rollout.Claim) error {
	if c.Accepted && !c.Stuck {
		return nil
	}
	err := t.change(ctx, func(h *rollout.Holding, _ rollout.Instant) error {
		if err := h.Stick(t.Intent, t.Life, false); err != nil {
			return err
		}
		return h.Attempted(t.Intent, t.Life, rollout.VerdictAccepted)
	})
	if errors.Is(err, rollout.ErrClaimGone) || errors.Is(err, rollout.ErrMoved) {
		return nil
	}
	return err
}
