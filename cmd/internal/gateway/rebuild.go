package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/temporalpath"
)

// losable is a store that may have lost claims with the machine's power.
type losable interface {
	// PowerLost reports whether it may have, until Rebuilt is called.
	PowerLost() bool
	// Rebuilt notes that the claims are complete again.
	Rebuilt() error
}

// rebuildRetry is the pause between two attempts to rebuild lost claims.
const rebuildRetry = time.Second

// rebuild puts the claims back that were lost with the machine's power, from what
// Temporal has. Until it is done all new documents go to legacy.
func (g *Gateway) rebuild(ctx context.Context, store losable) {
	if !store.PowerLost() {
		return
	}
	log := g.options.Log.Named("claims")
	log.Warn("the machine lost its power and claims may be lost: legacy only, until they are rebuilt from Temporal")
	for {
		restored := 0
		err := g.temporal.Recent(ctx, time.Now().Add(-g.config.Claims.Horizon.Std()), func(life temporalpath.Life) error {
			restored++
			return g.claims.Restore(ctx, g.routeOf(life), life.WorkflowID, life.Document, life.Delayed)
		})
		if err == nil {
			err = store.Rebuilt()
		}
		if err == nil {
			log.Info("claims are rebuilt", zap.Int("lives", restored))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rebuildRetry):
		}
	}
}

// routeOf returns the name of the route that the life's document came by: the one that
// the life names, or else the one of its workflow's type.
func (g *Gateway) routeOf(life temporalpath.Life) (name string) {
	for _, r := range g.config.Routes {
		if r.Name == life.Route {
			return r.Name
		}
		if r.Workflow.Type == life.WorkflowType {
			name = r.Name
		}
	}
	return name
}

// cautious is the policy of a gateway whose claims may be lost: everything new
// goes to legacy.
func cautious(store losable, policy func() *rollout.Policy) func() *rollout.Policy {
	none := &rollout.Policy{Kill: true}
	return func() *rollout.Policy {
		if store.PowerLost() {
			return none
		}
		return policy()
	}
}
