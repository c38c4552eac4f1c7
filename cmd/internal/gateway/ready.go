package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"sluice/cmd/internal/connect"
	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// reach is whether the claim store was reached. The only way is down the list:
//
//	never reached ─▶ reached: not ready before, ready from then on
//	                 reached ◀─▶ away: ready
//
// A gateway that has never reached its store has the wrong DSN, or no way there, and
// could not take one document: a rolling update must not replace good ones with it.
// A store that goes away later is away for all gateways, and to take all of them out of
// service would take legacy's traffic with them.
type reach struct{ once, now atomic.Bool }

// note notes that the store was reached, or that it could not be.
func (r *reach) note(err error) {
	r.now.Store(err == nil)
	if err == nil {
		r.once.Store(true)
	}
}

// ready says whether clients may be sent here, and why or why not. Temporal, legacy and
// the flag source have no say: without them documents and all else go where they safely
// can, on this gateway as on any other.
func (g *Gateway) ready() (yes bool, why string) {
	switch {
	case g.router.Draining():
		return false, "draining"
	case !g.reach.once.Load():
		return false, "not ready: the claim store has not been reached since this gateway started, so it could take no document; " +
			"its log says why (claims.postgres_file)"
	case !g.reach.now.Load():
		return true, "ready; the claim store, which was reached before, is away now"
	}
	return true, "ready"
}

func (g *Gateway) sayReady(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	yes, why := g.ready()
	if !yes {
		status = http.StatusServiceUnavailable
	}
	connect.Say(w, status, why)
}

// reachAgain is the pause between two attempts to reach a store before a handover.
const reachAgain = 50 * time.Millisecond

// reachStore fails if this gateway, as it is configured, cannot use a shared store: it
// cannot be reached, or not by this build. A gateway that runs is not replaced by one
// that could take no document, and nothing is changed in its store before that is known.
func (g *Gateway) reachStore(ctx context.Context) error {
	if g.config.Claims.Store != "postgres" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*g.config.Claims.Timeout.Std())
	defer cancel()
	for {
		err := postgres.Check(ctx, g.sharedStore())
		if err == nil {
			return nil
		}
		if !errors.Is(err, rollout.ErrStoreAway) {
			return fmt.Errorf("claims: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("claims: the store cannot be reached, so the gateway that runs, process %d, stays in service: %w\nhint: look at claims.postgres_file, and start again when the database answers", g.predecessor.Process(), err)
		case <-time.After(reachAgain):
		}
	}
}
