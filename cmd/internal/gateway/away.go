package gateway

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/store/errands"
	"sluice/router/claims"
)

// openAway makes what sends documents on without a claim while the store cannot be
// used: a shared one is away, or the disk of this gateway's own one is full.
func (g *Gateway) openAway(ctx context.Context) error {
	limit := g.config.Claims.Away.Std()
	if limit <= 0 {
		return nil
	}
	list, left, err := errands.Open(ctx, filepath.Join(g.config.Data, "away.log"), g.name)
	if err != nil {
		return fmt.Errorf("claims.away: %w", err)
	}
	if len(left.Errands) > 0 {
		g.options.Log.Warn("what an earlier process sent without a claim will be put on record", zap.Int("documents", len(left.Errands)))
	}
	g.away = claims.NewAway(claims.AwayConfig{
		Errands: list, Left: left.Errands, Succeeds: left.Owners, Owner: g.name, Limit: limit,
		LegacyTimeout: legacyTimeout(g.config.Legacy.AnswerTimeout.Std()), Horizon: g.config.Claims.Horizon.Std(),
		Log: g.options.Log.Named("claims"),
	})
	g.closers = append(g.closers, list.Close, func() error { g.leave(); return nil })
	return nil
}

// pledge is what this gateway promises for the time in which the store is away.
func (g *Gateway) pledge(want, sought rollout.Exposure) rollout.Pledge {
	if g.away == nil {
		return rollout.Pledge{}
	}
	return g.away.Pledge(want, sought)
}

// leave ends this gateway's pledge, so that the others need not wait for it. If
// something is left without a claim, the next process on this data directory sees
// to it; until then the pledge holds.
func (g *Gateway) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), g.config.Claims.Timeout.Std())
	defer cancel()
	log := g.options.Log.Named("claims")
	if g.claims != nil && !g.claims.Leave(ctx) {
		log.Warn("documents were sent on without a claim: start this gateway again on its data directory", zap.Int("documents", g.away.Unrecorded()))
		return
	}
	store, several := g.records.(shared)
	if !several {
		return
	}
	if err := store.Leave(ctx, g.name); err != nil {
		log.Warn("the other gateways could not be told that this one leaves: the percentage may rise only later", zap.Error(err))
	}
}

// agreeAlone keeps the mark of a store of this gateway's own and what the gateway
// seeks together.
func (g *Gateway) agreeAlone(ctx context.Context, store claims.Own) {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	var sought *rollout.Policy
	var last time.Time
	failing := false
	for {
		if seeks := g.seeks(); sought == nil || *seeks != *sought || time.Since(last) >= offerInterval {
			sought, last = seeks, time.Now()
			err := g.away.Agree(seeks.Exposure(), store)
			if err != nil && !failing {
				g.options.Log.Named("claims").Warn("the percentage stays where it is: a higher one cannot be kept on disk", zap.Error(err))
			}
			failing = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// seeks is what this gateway's own flags, plan and brake allow, whatever the mark.
func (g *Gateway) seeks() *rollout.Policy { return braked(g.ceilings.seeks(), g.ceilings.brake()) }
