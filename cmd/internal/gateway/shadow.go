package gateway

import (
	"context"
	"fmt"
	"path/filepath"

	"go.uber.org/zap"

	"sluice/cmd/internal/gates"
	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/evidence"
	"sluice/rollout/store/notes"
	"sluice/rollout/store/postgres"
	"sluice/router/shadow"
	"sluice/temporalpath"
)

// board is where gateways put down what they have found, whichever store it is.
type board interface {
	evidence.Notes
	evidence.Album
}

var (
	_ board = (*postgres.Store)(nil)
	_ board = (*notes.Dir)(nil)
)

// mirroring is what phase one is made of.
type mirroring struct {
	mirror *shadow.Mirror
	keeper *evidence.Keeper
	reader *evidence.Reader
	gates  *gates.Runner
}

// openShadow opens the mirror and the evidence.
func (g *Gateway) openShadow(context.Context) error {
	c := g.config.Shadow
	store, err := g.openBoard()
	if err != nil {
		return fmt.Errorf("shadow: %w", err)
	}
	g.board = store
	by := g.comparison
	g.shadow.keeper = evidence.New(evidence.Config{
		By:    evidence.By{Comparer: by.Comparer, Redact: by.Redact, Build: g.temporal.BuildOf},
		Notes: store, Album: store, Owner: g.name,
		Keep:     rollout.Keep{Count: c.Samples.Count, Bytes: int64(c.Samples.Bytes)},
		Observer: shadowObserver{g.metrics}, Log: g.options.Log.Named("shadow"),
	})
	g.shadow.reader = &evidence.Reader{Notes: store, Album: store, Self: g.name, Rules: by.Rules, Marks: by.Marks, Limits: by.Limits}
	g.shadow.gates = gates.New(gates.Config{Gates: g.config.Gates, Notes: store, Owner: g.name, Log: g.options.Log.Named("gates")})
	g.shadow.mirror = shadow.New(shadow.Config{
		Temporal: temporalpath.NewShadows(g.temporal, c.Parallel, c.Patience.Std(), g.shadowBroke),
		ID:       g.shadowID, Oversize: g.temporal.ShadowOversize, Ready: g.shadowReady, Asked: g.workers.Asked, Evidence: g.shadow.keeper,
		Policy: g.ceilings.policy, Busy: g.busy, Salt: g.config.Rollout.Salt, Pairs: by.Pairs,
		Queue: c.Queue, Budget: int64(c.Budget), Largest: int64(c.Largest), Gather: c.Gather.Std(), Parallel: c.Parallel, Patience: c.Patience.Std(),
	})
	return nil
}

func (g *Gateway) openBoard() (board, error) {
	if shared, ok := g.records.(board); ok {
		return shared, nil
	}
	return notes.Open(filepath.Join(g.config.Data, "notes"))
}

// busy reports whether the mirror has to leave the machine to the clients.
func (g *Gateway) busy() bool {
	return g.breaker.Open() || g.router.BodyBytes() > int64(g.config.Requests.BodyBudget)/2
}

func (g *Gateway) shadowReady(route string) bool {
	ready, _ := g.workers.ShadowReady(route)
	return ready
}

// mirrors reports whether any document is to be mirrored.
func (g *Gateway) mirrors() bool {
	p := g.ceilings.policy()
	return !p.Kill && p.Shadow > rollout.None
}

// runShadow runs all parts of the mirror until ctx ends: the evidence last, for it
// takes what the mirror still finds.
func (g *Gateway) runShadow(ctx context.Context) error {
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	kept := make(chan error, 1)
	go func() { kept <- g.shadow.keeper.Run(keeping) }()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		g.workers.WatchShadows(ctx, workersInterval, g.mirrors)
	}()
	err := g.shadow.mirror.Run(ctx)
	<-watched
	stop()
	if failed := <-kept; failed != nil {
		g.options.Log.Warn("the last of what the mirror found could not be put down", zap.Error(failed))
	}
	return err
}

// shadowBroke tells of a batch whose runs are not known.
func (g *Gateway) shadowBroke(route string, err error) {
	g.options.Log.Named("shadow").Warn("a batch of shadow runs did not end as it should: what came of them is listed, and for some minutes they are started one by one",
		zap.String("route", route), zap.Error(err))
}

func (g *Gateway) shadowID(doc *rollout.Document) string {
	return g.config.Temporal.IDs().OfShadow(doc.Identity(), doc.Intent, "a")
}

// shadowObserver counts comparisons by their class's word.
type shadowObserver struct{ metrics *metrics.Gateway }

func (o shadowObserver) ShadowCompared(route string, class compare.Class) {
	o.metrics.ShadowCompared(route, class.String())
}

func (o shadowObserver) ShadowDropped(route string, reason rollout.DropReason) {
	o.metrics.ShadowDropped(route, reason)
}
