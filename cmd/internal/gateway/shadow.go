package gateway

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/comparison"
	"sluice/cmd/internal/gates"
	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/evidence"
	"sluice/rollout/store/notes"
	"sluice/rollout/store/postgres"
	"sluice/router/operator"
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

// supportInterval is how often workers are asked whether they support shadow runs.
const supportInterval = 15 * time.Second

// mirroring is what phase one is made of.
type mirroring struct {
	mirror *shadow.Mirror
	keeper *evidence.Keeper
	reader *evidence.Reader
	watch  *temporalpath.ShadowWatch
	gates  *gates.Runner
}

// openShadow opens the mirror and the evidence.
func (g *Gateway) openShadow(context.Context) error {
	c := g.config.Shadow
	store, err := g.openBoard()
	if err != nil {
		return fmt.Errorf("shadow: %w", err)
	}
	rules := comparison.Rules(c.Compare)
	comparer, err := compare.New(compare.Config{Rules: rules})
	if err != nil {
		return fmt.Errorf("shadow.compare: %w", err)
	}
	marks, err := comparison.Patterns("shadow.compare.noise", c.Compare.Noise)
	if err != nil {
		return err
	}
	redact, err := comparison.Patterns("shadow.redact", c.Redact)
	if err != nil {
		return err
	}
	g.shadow.keeper = evidence.New(evidence.Config{
		Notes: store, Album: store, Owner: g.name, Comparer: comparer, Redact: redact,
		Keep:     rollout.Keep{Count: c.Samples.Count, Bytes: int64(c.Samples.Bytes)},
		Observer: shadowObserver{g.metrics}, Log: g.options.Log.Named("shadow"),
	})
	g.shadow.reader = &evidence.Reader{Notes: store, Album: store, Self: g.name, Rules: rules, Marks: marks, Limits: comparison.Limits(c.Limits)}
	g.shadow.gates = gates.New(gates.Config{Gates: g.config.Gates, Notes: store, Owner: g.name, Log: g.options.Log.Named("gates")})
	g.shadow.watch = temporalpath.NewShadowWatch(g.temporal)
	g.shadow.mirror = shadow.New(shadow.Config{
		Temporal: shadowRuns{g.temporal, g.config.Temporal.Prefix}, Ready: g.shadowReady, Evidence: g.shadow.keeper,
		Policy: g.ceilings.policy, Busy: g.busy, Salt: g.config.Rollout.Salt, Pairs: exposureOf(c.Pairs),
		Queue: c.Queue, Budget: int64(c.Budget), Largest: int64(c.Largest), Parallel: c.Parallel, Patience: c.Patience.Std(),
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
	ready, _ := g.shadow.watch.ShadowReady(route)
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
		g.shadow.watch.Watch(ctx, supportInterval, g.mirrors)
	}()
	err := g.shadow.mirror.Run(ctx)
	<-watched
	stop()
	if failed := <-kept; failed != nil {
		g.options.Log.Warn("the last of what the mirror found could not be put down", zap.Error(failed))
	}
	return err
}

// shadowRuns is Temporal as the mirror uses it.
type shadowRuns struct {
	*temporalpath.Path
	prefix string
}

func (r shadowRuns) ShadowID(doc *rollout.Document, arm string) string {
	return rollout.ShadowWorkflowID(r.prefix, doc.DocID, doc.Intent, arm)
}

// shadowObserver counts comparisons by their class's word.
type shadowObserver struct{ metrics *metrics.Gateway }

func (o shadowObserver) ShadowCompared(route string, class compare.Class) {
	o.metrics.ShadowCompared(route, class.String())
}

func (o shadowObserver) ShadowDropped(route string, reason rollout.DropReason) {
	o.metrics.ShadowDropped(route, reason)
}

func exposureOf(percent float64) rollout.Exposure {
	e, _ := rollout.ParsePercent(percent) // the configuration was checked
	return e
}

// shadowView is what the operator API answers of the mirror.
type shadowView struct {
	*evidence.Report
	// Ready says for each route whether it may be mirrored, or why not.
	Ready map[string]string `json:"ready"`
	// Wanted is the percentage that is to be mirrored now.
	Wanted float64 `json:"wanted_percent"`
}

func (g *Gateway) viewShadow(ctx context.Context, _ url.Values) (any, error) {
	now := time.Now().UTC()
	gates, err := g.shadow.gates.Certificate(ctx, now)
	if err != nil {
		return nil, err
	}
	report, err := g.shadow.reader.Report(ctx, gates, now)
	if err != nil {
		return nil, err
	}
	view := shadowView{Report: report, Ready: map[string]string{}}
	if p := g.ceilings.policy(); !p.Kill {
		view.Wanted = p.Shadow.Percent()
	}
	for _, r := range g.config.Routes {
		view.Ready[r.Name] = "ready"
		if ready, why := g.shadow.watch.ShadowReady(r.Name); !ready {
			view.Ready[r.Name] = why
		}
	}
	return view, nil
}

func (g *Gateway) viewSamples(ctx context.Context, query url.Values) (any, error) {
	limit := 20
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%w limit: %q is not a number from 1", operator.ErrParameter, text)
		}
		limit = n
	}
	samples, err := g.shadow.reader.Samples(ctx, limit)
	return map[string]any{"samples": samples}, err
}

// views are what operators can look at beside claims and audit.
func (g *Gateway) views() []operator.View {
	return []operator.View{
		{Name: "rollout", Read: g.viewRollout},
		{Name: "shadow", Read: g.viewShadow},
		{Name: "gates", Read: g.viewGates},
		{Name: "shadow/samples", Parameters: []string{"limit"}, Read: g.viewSamples},
	}
}

func (g *Gateway) viewGates(ctx context.Context, _ url.Values) (any, error) {
	results, err := g.shadow.gates.Results(ctx)
	return map[string]any{"gates": results}, err
}
