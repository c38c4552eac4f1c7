package metrics

import "github.com/prometheus/client_golang/prometheus"

// registerLog registers what tells of a log that nobody reads, in which whatever else
// is wrong would be looked for in vain.
func registerLog(registry *prometheus.Registry, dropped func() uint64) {
	if dropped == nil {
		return
	}
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "rollout_log_dropped_total",
		Help: "Lines of the process's log that were lost, because nobody read it or it could not be written.",
	}, func() float64 { return float64(dropped()) }))
}
