package metrics

import (
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"sluice/rollout"
)

// registerLive registers what lives elsewhere and is read when scraped.
func registerLive(registry *prometheus.Registry, c GatewayConfig) {
	if c.Policy != nil {
		registry.MustRegister(newPolicyCollector(c.Policy))
	}
	register := func(name, help string, read func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
	}
	if c.FlagAge != nil {
		register("rollout_flag_age_seconds", "Time since the flags were last read well.",
			func() float64 { return c.FlagAge().Seconds() })
	}
	if c.BodyBytes != nil {
		register("gateway_body_bytes_in_flight", "Bytes of request bodies held in memory.",
			func() float64 { return float64(c.BodyBytes()) })
	}
	if c.TemporalWaiters != nil {
		register("gateway_temporal_waiters", "Requests that wait for a workflow's result.",
			func() float64 { return float64(c.TemporalWaiters()) })
	}
	if c.TemporalUp != nil {
		register("gateway_temporal_up", "1 if Temporal answered when last asked.",
			func() float64 { return bit(c.TemporalUp()) })
	}
	if c.BreakerOpen != nil {
		register("rollout_breaker_open", "1 while the Temporal path's breaker keeps new documents away.",
			func() float64 { return bit(c.BreakerOpen()) })
	}
	if c.Unresolved != nil {
		register("rollout_claims_unresolved", "Open claims that no request is at work on.",
			func() float64 { return float64(c.Unresolved()) })
	}
	if c.Stalled != nil {
		register("rollout_claims_stalled", "Open claims whose workflow does not get on: a task of it fails again and again, or no worker takes it.",
			func() float64 { return float64(c.Stalled()) })
	}
	registerAway(register, c)
	if c.Steering != nil {
		registry.MustRegister(newSteeringCollector(c.Steering))
	}
	if c.Books != nil {
		registry.MustRegister(newConservation(c.Routes, c.Books))
	}
	if c.Draining != nil {
		register("gateway_draining", "1 while the gateway is about to stop.",
			func() float64 { return bit(c.Draining()) })
	}
	registerLog(registry, c.LogDropped)
	registerShadow(registry, c)
	registerLimits(registry, c)
	registerPollers(registry, c)
	registerLacks(registry, c)
	registerBuild(registry, c.Version)
}

// registerAway registers what tells of a claim store that may be away.
func registerAway(register func(name, help string, read func() float64), c GatewayConfig) {
	if c.AwayUnrecorded != nil {
		register("rollout_away_unrecorded", "Documents sent to legacy without a claim that have none yet.",
			func() float64 { return float64(c.AwayUnrecorded()) })
	}
	if c.AwayFloor != nil {
		register("rollout_away_floor_ratio", "Documents at or above it go to legacy while the claim store is away, 0..1; 1 is none.",
			func() float64 { return ratio(c.AwayFloor()) })
	}
}

// registerLimits lets alerts speak of a share of the limit, whatever it is.
func registerLimits(registry *prometheus.Registry, c GatewayConfig) {
	limit := func(name, help string, value float64) {
		if value <= 0 {
			return
		}
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		gauge.Set(value)
		registry.MustRegister(gauge)
	}
	limit("gateway_body_bytes_limit", "Budget of gateway_body_bytes_in_flight.", float64(c.BodyBytesLimit))
	limit("gateway_temporal_waiters_limit", "Bound of gateway_temporal_waiters.", float64(c.TemporalWaitersLimit))
}

func registerPollers(registry *prometheus.Registry, c GatewayConfig) {
	if c.TemporalPollers == nil {
		return
	}
	queues := slices.Sorted(slices.Values(c.TaskQueues))
	for _, queue := range slices.Compact(queues) { // routes may share one
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "gateway_temporal_pollers",
			Help:        "Workers last seen polling the task queue.",
			ConstLabels: prometheus.Labels{"task_queue": queue},
		}, func() float64 { return float64(c.TemporalPollers(queue)) }))
	}
}

func registerLacks(registry *prometheus.Registry, c GatewayConfig) {
	if c.Lacking == nil {
		return
	}
	for _, route := range c.Routes {
		for _, lack := range c.Lacks {
			registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name:        "gateway_workers_lacking",
				Help:        "1 while the route's workers do not offer what its documents need: pollers, type, update, claim_check or encoding.",
				ConstLabels: prometheus.Labels{"route": route, "lack": lack},
			}, func() float64 { return bit(c.Lacking(route, lack)) }))
		}
	}
}

func registerBuild(registry *prometheus.Registry, version string) {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "gateway_build_info",
		Help:        "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	})
	build.Set(1)
	registry.MustRegister(build)
}

// policyCollector reads the policy once a scrape, so that its metrics always
// belong to one epoch.
type policyCollector struct {
	policy                        func() *rollout.Policy
	exposure, shadow, kill, epoch *prometheus.Desc
}

func newPolicyCollector(policy func() *rollout.Policy) *policyCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &policyCollector{
		policy: policy,
		exposure: desc("rollout_exposure_ratio",
			"Share of documents served by Temporal, 0..1; the effective one is the lowest, or 0 when killed.", "ceiling"),
		shadow: desc("rollout_shadow_ratio", "Share of legacy's documents that are also mirrored, 0..1."),
		kill:   desc("rollout_kill", "1 while the kill flag sends everything to legacy."),
		epoch:  desc("rollout_policy_epoch", "Version of the policy in force."),
	}
}

func (c *policyCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.exposure, c.shadow, c.kill, c.epoch} {
		out <- desc
	}
}

func (c *policyCollector) Collect(out chan<- prometheus.Metric) {
	p := c.policy()
	if p == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.exposure, ratio(p.Flag), "flag")
	gauge(c.exposure, ratio(p.Plan), "plan")
	gauge(c.exposure, ratio(p.Brake), "brake")
	gauge(c.exposure, ratio(p.Exposure()), "effective")
	gauge(c.shadow, ratio(p.Shadow))
	gauge(c.kill, bit(p.Kill))
	gauge(c.epoch, float64(p.Epoch))
}

func ratio(e rollout.Exposure) float64 { return float64(e) / float64(rollout.All) }

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
