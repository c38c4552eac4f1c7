package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/store/brake"
	"sluice/rollout/store/postgres"
	"sluice/router/operator"
)

// brakes is a store in which several gateways share the brake.
type brakes interface {
	// SetBrake returns once the brake is on record, and a lowering in force, for all
	// gateways. It returns what is then on record: see rollout.Brake.After.
	SetBrake(ctx context.Context, brake rollout.Brake) (rollout.Brake, error)
	// Brake returns what is on record.
	Brake(ctx context.Context) (rollout.Brake, error)
}

var _ brakes = (*postgres.Store)(nil)

// braking is the brake as operators use it.
//
// A lowering is in force here at once, and in a file. Where gateways share a store
// the file holds it only until it is in force there, and this gateway has heard so:
//
//	in force here ─▶ stored for all ─▶ heard back: the store's rules, the file is released
//	      └── the store is away: told again each second, also after a restart
type braking struct {
	file    *brake.File
	store   brakes // nil: this gateway is alone
	stored  atomic.Pointer[rollout.Brake]
	storing sync.Mutex // held while the store is told
	log     *zap.Logger
}

func (g *Gateway) openBrake() {
	log := g.options.Log.Named("brake")
	g.brake = &braking{file: brake.Open(filepath.Join(g.config.Data, "brake.json"), log), log: log}
	g.brake.store, _ = g.records.(brakes)
	if now := g.brake.file.Brake(); now.Exposure < rollout.All {
		log.Warn("the brake is set", zap.Stringer("ceiling", now.Exposure), zap.String("by", now.Actor), zap.String("reason", now.Reason), zap.Time("at", now.At))
	}
}

// Lower implements operator.Brake.
func (b *braking) Lower(ctx context.Context, act rollout.Brake) error {
	err := b.file.Set(act)
	if errors.Is(err, brake.ErrUnkept) {
		b.log.Error("the brake cannot be kept on disk", zap.Error(err))
		err = fmt.Errorf("%w: %w", rollout.ErrBrakeHere, err)
	}
	if b.store == nil || errors.Is(err, rollout.ErrBrakeLower) {
		return err
	}
	here := b.file.Brake()
	now, away := b.tell(ctx)
	switch {
	case away != nil:
		return fmt.Errorf("%w: %w", rollout.ErrBrakeHere, away)
	case now.Exposure < act.Exposure:
		b.heard(here) // it added nothing
		return rollout.ErrBrakeLower
	}
	return nil // the store keeps it
}

// Release implements operator.Brake. The store comes first: what is lowered here
// meanwhile stays.
func (b *braking) Release(ctx context.Context, act rollout.Brake) error {
	if b.store == nil {
		return b.file.Set(act)
	}
	b.storing.Lock()
	defer b.storing.Unlock()
	here := b.file.Brake()
	if _, err := b.store.SetBrake(ctx, act); err != nil {
		return err
	}
	return b.file.Withdraw(here)
}

// tell tells the store what is set here, if it does not know, and returns what is on
// record there then.
func (b *braking) tell(ctx context.Context) (rollout.Brake, error) {
	b.storing.Lock()
	defer b.storing.Unlock()
	here := b.file.Brake()
	if b.store == nil || here.Exposure == rollout.All || here == b.stored.Load() {
		return *here, nil
	}
	now, err := b.store.SetBrake(ctx, *here)
	if err == nil {
		b.stored.Store(here)
	}
	return now, err
}

// heard notes that what the store has in force was read after the brake was stored.
func (b *braking) heard(stored *rollout.Brake) {
	if stored == nil || stored != b.file.Brake() {
		return
	}
	if err := b.file.Withdraw(stored); err != nil {
		b.log.Warn("the brake stays set on this gateway, whatever the store says", zap.Error(err))
	}
}

// brakeInterval is the pause between two attempts to store the brake.
const brakeInterval = time.Second

// keep stores what could not be stored.
func (b *braking) keep(ctx context.Context) {
	again := time.NewTicker(brakeInterval)
	defer again.Stop()
	for {
		_, err := b.tell(ctx)
		if err = errors.Join(err, b.file.Keep()); err != nil && ctx.Err() == nil {
			b.log.Warn("the brake is in force on this gateway alone, or would not outlive it; it is tried again", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// viewRollout is what stands between the documents and Temporal.
func (g *Gateway) viewRollout(ctx context.Context, _ url.Values) (any, error) {
	p := g.ceilings.policy()
	view := operator.Rollout{
		Effective: p.Exposure().Percent(), Flag: p.Flag.Percent(), Plan: p.Plan.Percent(), Brake: p.Brake.Percent(),
		Shadow: p.Shadow.Percent(), Kill: p.Kill, Epoch: p.Epoch,
		Unclaimed: g.unclaimed.LastHour(),
	}
	here := g.brake.file.Brake()
	set := *here
	if g.brake.store != nil {
		view.Unstored = here.Exposure < rollout.All && here != g.brake.stored.Load()
		stored, err := g.brake.store.Brake(ctx)
		switch {
		case err != nil && here.Exposure == rollout.All:
			view.Unknown = "who set the brake cannot be read now: " + err.Error()
		case err == nil && stored.Exposure <= here.Exposure:
			set = stored
		}
	}
	view.Wanted, view.Actor, view.Reason, view.At = set.Exposure.Percent(), set.Actor, set.Reason, set.At
	return view, nil
}
