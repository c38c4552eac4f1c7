package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
)

// WorkerConfig says which words a worker's metrics use.
type WorkerConfig struct {
	// Stores are the names of the stores that the ingestion writes to.
	Stores []string
	// Operations are what is done to a store, such as "put" and "undo".
	Operations []string
	// LogDropped returns how many lines of the worker's log were lost; nil leaves the
	// metric out.
	LogDropped func() uint64
	// Log gets what goes wrong in a scrape; nil for slog.Default.
	Log *slog.Logger
}

// Worker holds the metrics of one ingestion worker. It is safe for concurrent
// use. A store or operation that the configuration does not name is counted all
// the same, from its first occurrence on: workers are extended by other teams,
// with stores of their own.
type Worker struct {
	registry *prometheus.Registry
	log      *slog.Logger

	duration      *prometheus.HistogramVec
	errors        *prometheus.CounterVec
	breaker       *prometheus.GaugeVec
	compensations *prometheus.CounterVec
	deadLetters   prometheus.Counter

	sdk *sdk
}

// NewWorker returns the metrics, all of them at zero.
func NewWorker(c WorkerConfig) *Worker {
	w := &Worker{
		registry: newRegistry(),
		log:      c.Log,
		duration: prometheus.NewHistogramVec(latency("ingestion_store_duration_seconds",
			"Time one call to a store took, failed ones included."), []string{"store", "operation"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingestion_store_errors_total",
			Help: "Calls to a store that failed; not those that its open breaker refused.",
		}, []string{"store", "operation"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ingestion_store_breaker_state",
			Help: "The store's circuit breaker: 0 closed, 1 half-open, 2 open.",
		}, []string{"store"}),
		compensations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingestion_compensations_total",
			Help: "Attempts to undo a step, by store and how they ended: ok or failed.",
		}, []string{"store", "outcome"}),
		deadLetters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ingestion_dead_letters_total",
			Help: "Documents whose saga gave up; a crash may count one twice.",
		}),
		sdk: newSDK(),
	}
	w.registry.MustRegister(w.duration, w.errors, w.breaker, w.compensations, w.deadLetters, w.sdk)
	registerLog(w.registry, c.LogDropped)
	w.fill(c)
	return w
}

// fill makes every series that is known of.
func (w *Worker) fill(c WorkerConfig) {
	for _, store := range c.Stores {
		w.breaker.WithLabelValues(store)
		for _, operation := range c.Operations {
			w.duration.WithLabelValues(store, operation)
			w.errors.WithLabelValues(store, operation)
		}
		w.compensations.WithLabelValues(store, compensationOK)
		w.compensations.WithLabelValues(store, compensationFailed)
	}
}

// Handler serves the metrics.
func (w *Worker) Handler() http.Handler { return exposition(w.registry, w.log) }

// TemporalSDK returns what the worker's Temporal client reports its own metrics
// to.
func (w *Worker) TemporalSDK() client.MetricsHandler { return w.sdk.handler() }

// StoreCall times one call to a store; err is how it ended.
func (w *Worker) StoreCall(store, operation string, took time.Duration, err error) {
	w.duration.WithLabelValues(store, operation).Observe(took.Seconds())
	if err != nil {
		w.errors.WithLabelValues(store, operation).Inc()
	}
}

// StoreBreaker sets the state of the store's breaker: closed, half-open or open.
// Any other word counts as open: a state that nobody knows is not healthy.
func (w *Worker) StoreBreaker(store, state string) {
	level := 2.0
	switch state {
	case "closed":
		level = 0
	case "half-open":
		level = 1
	}
	w.breaker.WithLabelValues(store).Set(level)
}

// How an attempt to undo a step ended.
const (
	compensationOK     = "ok"
	compensationFailed = "failed"
)

// Compensated counts one attempt to undo a step; err is how it ended.
func (w *Worker) Compensated(store string, err error) {
	outcome := compensationOK
	if err != nil {
		outcome = compensationFailed
	}
	w.compensations.WithLabelValues(store, outcome).Inc()
}

// DeadLettered counts a document whose saga gave up. The step that failed
// stands in the workflow's failure, not in a label.
func (w *Worker) DeadLettered(string) { w.deadLetters.Inc() }
