package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/connect"
	"sluice/cmd/internal/handover"
	"sluice/rollout/audit"
	"sluice/rollout/store/layout"
)

// closing is how long a gateway may take to end after its last request: the flag
// source may be slow, and the claims are written to the disk.
const closing = 10 * time.Second

// patience is how long this gateway may take to end, in all.
func (g *Gateway) patience() time.Duration {
	return g.config.Drain.LameDuck.Std() + g.config.Drain.Timeout.Std() + closing
}

// findPredecessor looks for a gateway that runs on the same directory.
func (g *Gateway) findPredecessor(ctx context.Context) error {
	found, err := handover.Find(ctx, handover.Socket(g.config.Data))
	if err != nil {
		return errors.Join(err, errors.New("hint: stop the gateway that runs on "+g.config.Data+", or give this one a directory of its own: -set data=dir"))
	}
	if g.predecessor = found; found == nil {
		return nil
	}
	g.closers = append(g.closers, found.Close)
	return g.sameDoor(found)
}

// sameDoor fails if the predecessor's clients would find nobody where they are used to,
// unless that is asked for. A mistyped address, or a directory that was given to a
// second gateway, must not close the door of the one that runs.
func (g *Gateway) sameDoor(found *handover.Predecessor) error {
	l := g.config.Listen
	if g.options.TakeOver || found.At(l.Public, l.Operator) {
		return nil
	}
	return fmt.Errorf("another gateway, process %d, runs on %s and listens on %s; this one is to listen on %s and %s, and nobody would be left where the other is now\n"+
		"hint: give this one the same addresses, to take the place of the other; or a directory of its own, -set data=dir, to run beside it; or -take-over, to move the gateway to the new addresses",
		found.Process(), g.config.Data, strings.Join(found.Addresses(), " and "), l.Public, l.Operator)
}

// listen takes over the listener, or binds one; setting is how the user gives
// another address.
func (g *Gateway) listen(address, setting string) (net.Listener, error) {
	if g.predecessor == nil {
		return connect.Listen(address, setting)
	}
	if listener := g.predecessor.Listener(address); listener != nil {
		return listener, nil
	}
	g.options.Log.Warn("the gateway that runs does not listen there: what connects to where it does is refused once it has ended",
		zap.String("wanted", address), zap.Strings("found", g.predecessor.Addresses()))
	return connect.Listen(address, setting)
}

// rehearse finds out what would keep this gateway from serving, while another one
// still does. The router that it makes is replaced by one with claims.
func (g *Gateway) rehearse(ctx context.Context) error {
	if g.predecessor == nil {
		return nil
	}
	if err := g.reachStore(ctx); err != nil {
		return err
	}
	record, err := audit.Open(filepath.Join(g.config.Data, "audit.jsonl"), zap.NewNop())
	if err != nil {
		return err
	}
	return errors.Join(record.Close(), g.openRouter(ctx))
}

// openClaimsInTurn opens the claims, after the predecessor if only one process can
// have them, or the list of what went out without a claim.
func (g *Gateway) openClaimsInTurn(ctx context.Context) error {
	if g.config.Claims.Store == "postgres" && g.config.Claims.Away == 0 {
		return g.openClaims(ctx)
	}
	limit := g.patience()
	if g.predecessor != nil {
		limit = max(limit, g.predecessor.Patience())
	}
	if err := g.takeOver(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("it was waited for as long as drain allows"))
	defer cancel()
	if err := g.bringForward(ctx); err != nil {
		return err
	}
	return g.openClaims(ctx)
}

// takeOver asks the predecessor to stop, once. From here on clients wait for this
// gateway.
func (g *Gateway) takeOver(context.Context) error {
	if g.predecessor == nil || g.predecessor.Inherited() != nil {
		return nil
	}
	g.options.Log.Info("taking over", zap.Int("from_process", g.predecessor.Process()))
	return g.predecessor.Stop(g.config.Requests.IdleTimeout.Std())
}

// bringForward brings the data directory to this build's layout, once the
// predecessor has left it.
func (g *Gateway) bringForward(ctx context.Context) error { return layout.Bring(ctx, g.config.Data) }

// openOffer lets a successor take over. A gateway that nobody can take over from
// is better than none.
func (g *Gateway) openOffer(context.Context) error {
	config := handover.OfferConfig{Path: handover.Socket(g.config.Data), Patience: g.patience(), Log: g.options.Log}
	for _, listener := range []net.Listener{g.public, g.operator} {
		if tcp, ok := listener.(*net.TCPListener); ok {
			config.Listeners = append(config.Listeners, tcp)
		}
	}
	offer, err := handover.NewOffer(config)
	if err != nil {
		g.options.Log.Warn("another gateway will not be able to take over from this one: stop it before a new one is started", zap.Error(err))
		return nil
	}
	g.succession = offer
	g.closers = append(g.closers, g.withdraw)
	return nil
}

// heirs gives the gateway that takes over, if one does.
func (g *Gateway) heirs() <-chan *handover.Successor {
	if g.succession == nil {
		return nil
	}
	return g.succession.Taken()
}

// withdraw takes the offer back.
func (g *Gateway) withdraw() error {
	if g.succession == nil {
		return nil
	}
	return g.succession.Close()
}

// handOver stops the door for a successor, without failing a request: it accepts
// no more, gives every connection away once nothing is under way on it, and waits
// for what is.
func (g *Gateway) handOver(running context.Context, heir *handover.Successor) error {
	began := time.Now()
	g.options.Log.Info("handing over", zap.Int("to_process", heir.Process))
	errs := []error{g.withdraw(), connect.Closed(g.public), connect.Closed(g.operator), heir.Stopped()}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(running), g.config.Drain.Timeout.Std())
	defer cancel()
	if g.predecessor != nil {
		errs = append(errs, g.predecessor.Inherited().End(ctx))
	}
	g.accepting.Wait()
	moved, err := g.connections.MoveTo(ctx, heir.Give)
	errs = append(errs, g.unfinished(err), g.operatorServer.Shutdown(ctx), heir.Close())
	g.options.Log.Info("handed over", zap.Int("connections", moved), zap.Duration("took", time.Since(began)))
	return errors.Join(errs...)
}
