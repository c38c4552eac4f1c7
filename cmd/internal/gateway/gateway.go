// Package gateway wires the gateway together: it is the only place where the
// front door meets the paths, the flags and the metrics.
//
// Components, in the order they start: metrics, legacy forwarder, Temporal path and all
// else that needs neither port nor lock (see Check), listeners (bound or taken over, not
// served), flag reader, claims, router, servers, the offer to a successor. They stop the other way round: the door is drained first, so
// that whatever a request needs outlives it.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"sluice/cmd/internal/handover"
	"sluice/configs"
	"sluice/legacy"
	"sluice/metrics"
	"sluice/rollout/flags"
	"sluice/rollout/store/layout"
	"sluice/router"
	"sluice/router/breaker"
	"sluice/router/claims"
	"sluice/router/unclaimed"
	"sluice/temporalpath"
)

// Options are what a gateway needs besides its configuration.
type Options struct {
	Version string
	Log     *zap.Logger
	// Lookup reads the environment, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// TakeOver lets this gateway take the place of one that runs on the same data
	// directory and listens on other addresses, which are then given up.
	TakeOver bool
	// LogDropped returns how many lines of the log were lost; nil if none ever is.
	LogDropped func() uint64
}

// Gateway is one gateway. Open makes it listen, Run makes it serve.
type Gateway struct {
	config  configs.Config
	options Options
	prepared

	legacy   *legacy.Forwarder
	temporal *temporalpath.Path
	workers  *temporalpath.Workers
	flags    *flags.Reader
	metrics  *metrics.Gateway
	ceilings ceilings
	brake    *braking
	helm     *helm
	// What this gateway saw lately, for all.
	latencies latencies
	failed    failed
	board     board // where gateways tell each other
	records   records
	answers   router.Answers // nil if legacy gets every retry
	claims    *claims.Book
	quiet     *claims.LegacyOnly
	unclaimed unclaimed.Requests
	away      *claims.Away // nil: without a claim nothing is sent
	reach     reach
	breaker   *breaker.Breaker
	books     books
	shadow    mirroring
	router    *router.Router
	name      string // this process's, in claims

	predecessor *handover.Predecessor // nil if there is none
	succession  *handover.Offer       // nil if this gateway cannot be replaced while it runs
	connections *handover.Connections
	accepting   sync.WaitGroup // the servers that take clients' connections

	public, operator net.Listener
	publicServer     *http.Server
	operatorServer   *http.Server
	closers          []func() error // run in reverse by Close
}

// Open builds the gateway and binds its listeners, or takes them over from the
// gateway that runs on the same data directory; see handover. Neither Temporal nor legacy
// nor the flag source need to be there. Close releases what Open made.
func Open(ctx context.Context, config configs.Config, options Options) (*Gateway, error) {
	g := &Gateway{config: config, options: options, connections: handover.NewConnections(options.Log)}
	for _, step := range []func(context.Context) error{
		g.prepare, g.openData, g.openListeners, g.openFlags,
		g.rehearse, g.openClaimsInTurn, g.openAnswers, g.openShadow, g.openRouter, g.openServers, g.takeOver, g.bringForward, g.openOffer,
	} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, g.Close())
		}
	}
	return g, nil
}

func (g *Gateway) openData(context.Context) error {
	if err := os.MkdirAll(g.config.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := layout.Check(g.config.Data); err != nil { // before anything is taken over
		return err
	}
	var err error
	g.name, err = newName()
	return err
}

// PublicAddress returns where the door listens, host:port.
func (g *Gateway) PublicAddress() string { return g.public.Addr().String() }

// OperatorAddress returns where the operator's listener is, host:port.
func (g *Gateway) OperatorAddress() string { return g.operator.Addr().String() }

// Run serves until ctx ends and then drains: for a while it still serves and
// tells clients to go elsewhere, then it waits for the requests on their way. It
// also ends when a successor has taken over.
func (g *Gateway) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, running := errgroup.WithContext(background)
	group.Go(func() error { g.workers.Watch(running, workersInterval, g.tellOfWorkers); return nil })
	group.Go(func() error { g.watchBreaker(running); return nil })
	group.Go(func() error { return g.claims.Run(running) })
	group.Go(func() error { g.unclaimed.Tell(running, g.options.Log); return nil })
	group.Go(func() error { g.books.keep(running, g.records, g.options.Log.Named("claims")); return nil })
	group.Go(func() error { g.brake.keep(running); return nil })
	group.Go(func() error { return g.runShadow(running) })
	group.Go(func() error { return g.shadow.gates.Run(running) })
	group.Go(func() error { return g.helm.run(running) })
	if store, may := g.records.(losable); may {
		group.Go(func() error { g.rebuild(running, store); return nil })
	}
	if store, several := g.records.(shared); several {
		group.Go(func() error { g.followPolicy(running, store); return nil })
	}
	if store, alone := g.records.(claims.Own); alone && g.away != nil {
		group.Go(func() error { g.agreeAlone(running, store); return nil })
	}
	g.quiet.Look(running) // what the first request needs to know
	group.Go(func() error { g.quiet.Watch(running); return nil })
	g.serve(group)
	if g.succession != nil {
		group.Go(func() error { return g.succession.Serve(running) })
	}
	g.options.Log.Info("serving", zap.String("public", g.PublicAddress()), zap.String("operator", g.OperatorAddress()))
	var err error
	select {
	case heir := <-g.heirs():
		err = g.handOver(running, heir)
	case <-running.Done(): // a server failed
		err = g.drain(running)
	case <-ctx.Done():
		err = g.drain(running)
	}
	stop()
	return errors.Join(err, group.Wait())
}

// serve serves both listeners, and the connections that came from the predecessor.
func (g *Gateway) serve(group *errgroup.Group) {
	clients := []net.Listener{g.framed(g.public)}
	if g.predecessor != nil {
		clients = append(clients, g.framed(g.predecessor.Inherited()))
	}
	for _, listener := range clients {
		g.accepting.Add(1)
		group.Go(func() error {
			defer g.accepting.Done()
			return served(g.publicServer.Serve(listener))
		})
	}
	group.Go(func() error { return served(g.operatorServer.Serve(g.operator)) })
}

// served makes nothing of a listener that was closed: only drain, handOver and
// Close do that.
func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// parting bounds how long a kept connection may take to bring one more request,
// whose answer tells the client that it closes.
const parting = 3 * time.Second

// part waits for the clients to leave by themselves. A connection that is closed
// while its client writes to it fails a request.
func (g *Gateway) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, parting)
	defer cancel()
	g.connections.Empty(ctx)
}

// drain stops the door without failing a request.
func (g *Gateway) drain(running context.Context) error {
	g.router.Drain()
	g.options.Log.Info("draining", zap.Duration("lame_duck", g.config.Drain.LameDuck.Std()))
	select {
	case heir := <-g.heirs():
		return g.handOver(running, heir)
	case <-running.Done():
	case <-time.After(g.config.Drain.LameDuck.Std()):
	}
	err := g.withdraw()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(running), g.config.Drain.Timeout.Std())
	defer cancel()
	g.part(ctx)
	return errors.Join(err, g.unfinished(g.publicServer.Shutdown(ctx)), g.operatorServer.Close())
}

// unfinished cuts off what is under way if err says that there is something.
func (g *Gateway) unfinished(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("requests were still on their way after drain.timeout: %w", errors.Join(err, g.publicServer.Close()))
}

// Close releases everything. It is to be called once, after Run if Run was.
func (g *Gateway) Close() error {
	var errs []error
	for _, closer := range slices.Backward(g.closers) {
		errs = append(errs, closer())
	}
	g.closers = nil
	return errors.Join(errs...)
}
