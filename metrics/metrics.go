// Package metrics turns outcomes into Prometheus metrics: a Gateway and a
// Worker each own a registry, and both carry the Temporal SDK's own metrics.
//
// Invariants:
//   - Nothing is global: two Gateways in one process do not see each other.
//   - Every label value of the closed sets is there from the start, at zero, so
//     that a rate never misses the first event and a dashboard never says "no
//     data" where it means "none".
//   - No label holds anything a client chooses; never a doc_id. A word from
//     outside its closed set is counted as "other".
//   - Observing a request does not block, allocate or fail.
//   - Latencies are dual histograms, classic and native, in seconds. Prometheus
//     drops one of the two forms, so queries are written "native or classic".
package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// newRegistry returns a registry that already describes the process itself.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(),
	)
	return registry
}

// exposition serves the registry in the text, OpenMetrics and protobuf formats;
// only the last carries native histograms. What cannot be gathered is logged
// and left out: one bad metric must not blind the dashboards.
func exposition(registry *prometheus.Registry, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.Default()
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:     promhttp.ContinueOnError,
		Registry:          registry,
		EnableOpenMetrics: true,
	})
}

// latency describes a dual histogram of seconds. Neighbouring classic buckets,
// 1 ms to 60 s, differ by at most a factor of two, so that a ratio of quantiles
// is told apart from the 2x limit; native buckets differ by 10 %.
func latency(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name,
		Help: help,
		Buckets: []float64{
			.001, .0015, .002, .003, .005, .0075, .01, .015, .02, .03, .05, .075, .1,
			.15, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60,
		},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}
