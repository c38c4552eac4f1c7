package gateway

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"sluice/configs"
	"sluice/rollout/store/embedded/answers"
	"sluice/rollout/store/postgres"
	"sluice/router"
)

// A store of claims that several gateways share keeps legacy's answers too.
var _ router.Answers = (*postgres.Store)(nil)

// openAnswers opens the record of legacy's answers: where the claims are, for only
// who shares these can share the answers.
func (g *Gateway) openAnswers(context.Context) error {
	if g.config.Legacy.Idempotency != "gateway" {
		return nil
	}
	if shared, ok := g.records.(router.Answers); ok {
		g.answers = shared
		return nil
	}
	store, err := answers.Open(answers.Config{
		Dir: filepath.Join(g.config.Data, "answers"), Keep: keepAnswers(&g.config),
		Budget: int64(g.config.Legacy.AnswerBudget), Sync: g.config.Claims.Sync, Log: g.options.Log.Named("answers"),
	})
	if err != nil {
		return fmt.Errorf("legacy's answers: %w", err)
	}
	g.closers = append(g.closers, store.Close)
	g.answers = store
	return nil
}

// keepAnswers is how long an answer may be asked for after it was kept. If its
// gateway died before the claim was settled, others settle it when the lease and
// legacy's time limit are over, and the horizon begins only then.
func keepAnswers(c *configs.Config) time.Duration {
	adoption := 2*c.Claims.Lease.Std() + legacyTimeout(c.Legacy.AnswerTimeout.Std())
	return c.Claims.Horizon.Std() + adoption + time.Minute
}
