package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"sluice/rollout"
)

// shadow counts what becomes of sampled documents: for each route, those sampled
// are those compared, those dropped, and what waits or runs.
type shadow struct {
	compared, dropped *prometheus.CounterVec
}

// newShadow has every word at zero from the start.
func newShadow(g *Gateway, routes, classes []string) shadow {
	s := shadow{
		compared: g.counter("rollout_shadow_compared_total",
			"Mirrored documents whose answers were compared, by class: agree, mismatch, validity, error or skipped.", "route", "class"),
		dropped: g.counter("rollout_shadow_dropped_total",
			"Sampled documents that were not compared, by reason.", "route", "reason"),
	}
	for _, route := range routes {
		for _, class := range classes {
			s.compared.WithLabelValues(route, class)
		}
		for _, reason := range rollout.DropReasons() {
			s.dropped.WithLabelValues(route, reason.String())
		}
	}
	return s
}

// ShadowCompared counts a comparison by the word for its class.
func (g *Gateway) ShadowCompared(route, class string) {
	g.shadow.compared.WithLabelValues(route, class).Inc()
}

// ShadowDropped counts a sampled document that is not compared.
func (g *Gateway) ShadowDropped(route string, reason rollout.DropReason) {
	g.shadow.dropped.WithLabelValues(route, reason.String()).Inc()
}

// registerShadow registers what the mirror holds, and which routes it may mirror.
func registerShadow(registry *prometheus.Registry, c GatewayConfig) {
	gauge := func(name, help string, labels prometheus.Labels, read func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
	}
	if c.ShadowWaiting != nil {
		gauge("rollout_shadow_waiting", "Documents that wait to be mirrored.", nil,
			func() float64 { return float64(c.ShadowWaiting()) })
	}
	if c.ShadowBytes != nil {
		gauge("rollout_shadow_bytes", "Bytes of documents and answers that wait to be mirrored or are.", nil,
			func() float64 { return float64(c.ShadowBytes()) })
	}
	if c.ShadowReady == nil {
		return
	}
	for _, route := range c.Routes {
		gauge("rollout_shadow_ready", "1 while the route's workers declare that their shadow runs leave the real stores alone.",
			prometheus.Labels{"route": route}, func() float64 { return bit(c.ShadowReady(route)) })
	}
}
