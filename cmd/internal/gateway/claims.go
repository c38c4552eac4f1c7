package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"sluice/configs"
	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/store/embedded"
	"sluice/rollout/store/postgres"
	"sluice/router/breaker"
	"sluice/router/claims"
)

// records is a store of claims, whichever it is.
type records interface {
	claims.Store
	claims.Roll
	bookkeeping
	desk
	Close() error
}

var _ shared = (*postgres.Store)(nil)

func (g *Gateway) openClaims(ctx context.Context) error {
	var err error
	if g.records, err = g.openRecords(ctx); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	g.closers = append(g.closers, g.records.Close)
	if err := g.openCeilings(ctx); err != nil {
		return err
	}
	if err := g.openAway(ctx); err != nil {
		return err
	}
	store, err := g.weakened(g.records)
	if err != nil {
		return err
	}
	c := g.config
	dead, limits := map[string][]string{}, map[string]time.Duration{}
	for _, r := range c.Routes {
		dead[r.Name], limits[r.Name] = r.Workflow.DeadLetters, r.Workflow.ExecutionTimeout.Std()
	}
	quiet := claims.LegacyOnlyConfig{Register: g.records, Policy: g.ceilings.policy, Horizon: c.Claims.Horizon.Std(), Timeout: c.Claims.Timeout.Std()}
	if _, several := g.records.(shared); several {
		quiet.Agreed = g.agreed
	}
	config := claims.Config{
		Store: store, Roll: g.records, Temporal: g.temporal, Gate: g.temporal,
		Limit: func(route string) time.Duration { return cmp.Or(limits[route], configs.DefaultExecutionTimeout.Std()) },
		Owner: g.name, IDs: c.Temporal.IDs(),
		LegacyTimeout: legacyTimeout(c.Legacy.AnswerTimeout.Std()),
		DeadLetters:   dead,
		Lease:         c.Claims.Lease.Std(), StoreTimeout: c.Claims.Timeout.Std(),
		Observer: claimObserver{g.metrics, &g.latencies}, Log: g.options.Log.Named("claims"), Away: g.away,
		Thresholds: g.helm.loop.Thresholds, EvidenceHorizon: c.Guardrails.EvidenceHorizon.Std(),
	}
	if losing, may := g.records.(losable); may {
		config.Outdated = losing.PowerLost
		config.StoreTimeout = 0 // it is in this process
		quiet.Outdated = losing.PowerLost
	}
	if own, alone := g.records.(claims.Own); alone && g.away != nil {
		if err := g.away.Agree(g.seeks().Exposure(), own); err != nil { // agreeAlone goes on trying
			g.options.Log.Named("claims").Warn("the percentage stays where it was: a higher one cannot be kept on disk", zap.Error(err))
		}
	}
	g.quiet = claims.NewLegacyOnly(quiet)
	g.claims = claims.New(config)
	g.breaker = breaker.New()
	return nil
}

// agreed is the policy on which all gateways agree, as of the last second; without an
// epoch while the store does not say.
func (g *Gateway) agreed() *rollout.Policy {
	if !g.reach.now.Load() {
		return &rollout.Policy{}
	}
	return g.ceilings.stored.Load()
}

// openCeilings makes what is in force here: the flags, under the plan and the brake.
func (g *Gateway) openCeilings(ctx context.Context) error {
	g.openBrake()
	if err := g.newHelm(); err != nil {
		return err
	}
	flags := g.flags.Policy
	if store, may := g.records.(losable); may {
		flags = cautious(store, flags)
	}
	_, several := g.records.(shared)
	g.ceilings.seeks = planned(flags, func() rollout.Exposure {
		ceiling, known := g.helm.loop.Ceiling()
		if several && known {
			return rollout.All // the store knows better
		}
		return ceiling
	})
	g.ceilings.own = g.ceilings.seeks
	if store, alone := g.records.(claims.Own); alone {
		g.ceilings.own = marked(g.ceilings.seeks, store.Mark)
	}
	g.ceilings.brake = g.brake.file.Brake
	g.helm.learn(ctx)
	if several {
		// Nothing is known of what the others agreed on: nothing is allowed yet.
		g.ceilings.stored.Store(&rollout.Policy{})
		return nil
	}
	g.reach.note(nil) // it is open
	g.ceilings.alone = &rollout.Policy{Epoch: g.flags.Policy().Epoch}
	if st := g.helm.loop.State(); st != nil {
		g.ceilings.alone.Epoch = max(g.ceilings.alone.Epoch, st.Epoch)
	}
	return nil
}

// claimObserver also takes legacy's latencies.
type claimObserver struct {
	*metrics.Gateway
	latencies *latencies
}

// LegacyTook keeps a latency.
func (o claimObserver) LegacyTook(took time.Duration) { o.latencies.add(took) }

// legacyTimeout is how long a request may be at work in legacy after it was sent.
// Where legacy may take for ever, the claims of a dead gateway are given up after
// an hour.
func legacyTimeout(answer time.Duration) time.Duration {
	if answer <= 0 {
		return time.Hour
	}
	return answer
}

func (g *Gateway) openRecords(ctx context.Context) (records, error) {
	c := g.config.Claims
	log := g.options.Log.Named("claims")
	if c.Store == "postgres" {
		return postgres.Open(ctx, g.sharedStore())
	}
	store, err := embedded.Open(ctx, embedded.Config{
		Dir: filepath.Join(g.config.Data, "claims"), Horizon: c.Horizon.Std(),
		Policy: g.ceilings.policy, Brake: func() *rollout.Brake { return g.brake.file.Brake() }, Sync: c.Sync, Log: log,
		Marked: c.Away > 0, Migration: g.config.Rollout.Salt,
	})
	if err != nil {
		return nil, err
	}
	return store, nil
}

// newName names this process among all gateways there ever were.
func newName() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "gateway"
	}
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", errors.Join(errors.New("no random numbers"), err)
	}
	return host + "-" + hex.EncodeToString(random[:]), nil
}

// probeInterval is the pause between two probes of a path whose breaker is open.
const probeInterval = 500 * time.Millisecond

// watchBreaker probes Temporal while the breaker is open.
func (g *Gateway) watchBreaker(ctx context.Context) {
	g.breaker.Watch(ctx, probeInterval, g.temporal.Probe, func(open bool) {
		if open {
			g.options.Log.Warn("the Temporal path's breaker is open: new documents go to legacy")
			return
		}
		g.options.Log.Info("the Temporal path's breaker is closed again", zap.String("by", "a probe"))
	})
}
