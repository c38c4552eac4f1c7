package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// sdk collects what the Temporal SDK, and workflows through it, report. Names
// and tags come as they occur, and one name may come with different sets of
// tags: a vector for each set, all under one name. So it is an unchecked
// collector, one that describes nothing beforehand.
//
// Names follow the SDK's other Prometheus bridges: a counter gets "_total", a
// timer "_seconds"; a gauge's "_count", which Prometheus keeps for histograms,
// becomes a plural.
type sdk struct {
	mu    sync.RWMutex
	kinds map[string]kind      // by name; guarded by mu
	vecs  map[vector]collector // guarded by mu
}

// vector names one vector: label names cannot hold a comma.
type vector struct{ name, labels string }

type kind uint8

const (
	counter kind = iota
	gauge
	timer
)

type collector = prometheus.Collector

func newSDK() *sdk {
	return &sdk{kinds: make(map[string]kind), vecs: make(map[vector]collector)}
}

// Describe says nothing: see sdk.
func (s *sdk) Describe(chan<- *prometheus.Desc) {}

func (s *sdk) Collect(out chan<- prometheus.Metric) {
	s.mu.RLock()
	vecs := slices.Collect(maps.Values(s.vecs))
	s.mu.RUnlock()
	for _, vec := range vecs {
		vec.Collect(out)
	}
}

// vec returns the vector, which create makes if there is none; nil if the name
// is taken by another kind, because Prometheus would refuse the whole family.
func (s *sdk) vec(k kind, name string, labels []string, create func(help string) collector) collector {
	id := vector{name: name, labels: strings.Join(labels, ",")}
	s.mu.RLock()
	vec, found := s.vecs[id]
	mine := s.kinds[name] == k
	s.mu.RUnlock()
	if found && mine {
		return vec
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if holder, taken := s.kinds[name]; taken && holder != k {
		return nil
	}
	if vec, found = s.vecs[id]; !found {
		vec = create("Reported by the Temporal SDK.")
		s.kinds[name], s.vecs[id] = k, vec
	}
	return vec
}

func (s *sdk) handler() client.MetricsHandler { return &sdkHandler{sdk: s} }

// sdkHandler is one set of tags; immutable.
type sdkHandler struct {
	sdk           *sdk
	tags          map[string]string
	names, values []string // the tags as labels, in order of their names
}

var _ client.MetricsHandler = (*sdkHandler)(nil)

func (h *sdkHandler) WithTags(tags map[string]string) client.MetricsHandler {
	merged := make(map[string]string, len(h.tags)+len(tags))
	maps.Copy(merged, h.tags)
	maps.Copy(merged, tags)
	names, values := labelsOf(merged)
	return &sdkHandler{sdk: h.sdk, tags: merged, names: names, values: values}
}

func (h *sdkHandler) Counter(name string) client.MetricsCounter {
	name = validName(strings.TrimSuffix(name, "_total")) + "_total"
	vec, _ := h.sdk.vec(counter, name, h.names, func(help string) collector {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, h.names)
	}).(*prometheus.CounterVec)
	if vec == nil {
		return client.MetricsNopHandler.Counter(name)
	}
	return sdkCounter{vec.WithLabelValues(h.values...)}
}

func (h *sdkHandler) Gauge(name string) client.MetricsGauge {
	if trimmed, counts := strings.CutSuffix(name, "_count"); counts {
		name = trimmed + "s"
	}
	name = validName(name)
	vec, _ := h.sdk.vec(gauge, name, h.names, func(help string) collector {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, h.names)
	}).(*prometheus.GaugeVec)
	if vec == nil {
		return client.MetricsNopHandler.Gauge(name)
	}
	return sdkGauge{vec.WithLabelValues(h.values...)}
}

func (h *sdkHandler) Timer(name string) client.MetricsTimer {
	name = validName(strings.TrimSuffix(name, "_seconds")) + "_seconds"
	vec, _ := h.sdk.vec(timer, name, h.names, func(help string) collector {
		return prometheus.NewHistogramVec(latency(name, help), h.names)
	}).(*prometheus.HistogramVec)
	if vec == nil {
		return client.MetricsNopHandler.Timer(name)
	}
	return sdkTimer{vec.WithLabelValues(h.values...)}
}

type sdkCounter struct{ counter prometheus.Counter }

// Inc adds d; Prometheus counters panic on a negative one, so it is dropped.
func (c sdkCounter) Inc(d int64) {
	if d > 0 {
		c.counter.Add(float64(d))
	}
}

type sdkGauge struct{ gauge prometheus.Gauge }

func (g sdkGauge) Update(value float64) { g.gauge.Set(value) }

type sdkTimer struct{ seconds prometheus.Observer }

func (t sdkTimer) Record(d time.Duration) { t.seconds.Observe(d.Seconds()) }
