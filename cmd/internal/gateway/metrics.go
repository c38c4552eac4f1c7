package gateway

import (
	"context"
	"time"

	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/control"
	"sluice/rollout/flags"
	"sluice/rollout/guard"
	"sluice/router/framing"
	"sluice/temporalpath"
)

func (g *Gateway) openMetrics(context.Context) error {
	g.metrics = metrics.NewGateway(g.metricsConfig())
	return nil
}

// metricsConfig names everything that has a metric. The functions are called
// for each scrape, long after all parts are there.
func (g *Gateway) metricsConfig() metrics.GatewayConfig {
	var routes, queues, reasons []string
	for _, r := range g.config.Routes {
		routes = append(routes, r.Name)
		queues = append(queues, r.Workflow.TaskQueue)
	}
	for _, reason := range flags.Reasons() {
		reasons = append(reasons, string(reason))
	}
	config := metrics.GatewayConfig{
		Version:              g.options.Version,
		Routes:               routes,
		FlagNames:            flags.Keys(),
		FlagRejectReasons:    reasons,
		RefusedReasons:       framing.Reasons(),
		TaskQueues:           queues,
		Policy:               func() *rollout.Policy { return g.ceilings.policy() },
		FlagAge:              func() time.Duration { return g.flags.Age() },
		BodyBytes:            func() int64 { return g.router.BodyBytes() },
		BodyBytesLimit:       int64(g.config.Requests.BodyBudget),
		TemporalWaiters:      func() int { return g.temporal.Waiters() },
		TemporalWaitersLimit: g.config.Temporal.MaxWaiters,
		TemporalPollers:      func(queue string) int { return g.workers.Pollers(queue) },
		TemporalUp:           func() bool { return g.workers.Up() },
		BreakerOpen:          func() bool { return g.breaker.Open() },
		Lacks:                words(temporalpath.Lacks()),
		Lacking:              func(route, lack string) bool { return g.workers.Lacks(route, temporalpath.Lack(lack)) },
		Unresolved:           func() int { return g.claims.Unresolved() },
		Stalled:              func() int { return g.claims.StalledRuns() },
		ShadowClasses:        words(compare.Classes()),
		ShadowWaiting:        func() int { return g.shadow.mirror.Waiting() },
		ShadowBytes:          func() int64 { return g.shadow.mirror.HeldBytes() },
		ShadowReady:          g.shadowReady,
		Books:                g.books.read,
		Guardrails:           words(guard.Names()),
		PlanActions:          words(control.Actions()),
		Steering:             func() *metrics.Steering { return g.steered() },
		Draining:             func() bool { return g.router.Draining() },
		LogDropped:           g.options.LogDropped,
	}
	if g.config.Claims.Away > 0 {
		config.AwayUnrecorded = func() int { return g.away.Unrecorded() }
		config.AwayFloor = func() rollout.Exposure { return g.away.Floor() }
	}
	return config
}

// words returns the words of a closed set.
func words[T interface {
	// String returns the word.
	String() string
}](set []T) (all []string) {
	for _, one := range set {
		all = append(all, one.String())
	}
	return all
}
