package metrics_test

import (
	"errors"
	"testing"
	"time"

	"sluice/metrics"
	"sluice/metrics/promtest"
	"sluice/router"
	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
)

// What observes stores, ingestions and requests is declared by those packages;
// they and this one do not know each other.
var (
	_ stores.Observer    = (*metrics.Worker)(nil)
	_ ingestion.Observer = (*metrics.Worker)(nil)
	_ router.Observer    = (*metrics.Gateway)(nil)
)

func workerConfig() metrics.WorkerConfig {
	return metrics.WorkerConfig{
		Stores:     []string{"document", "vector", "graph", "cache"},
		Operations: []string{stores.OpPut, stores.OpUndo},
	}
}

func TestWorkerSeriesAreThereFromTheStart(t *testing.T) {
	t.Parallel()
	page := scrape(t, metrics.NewWorker(workerConfig()).Handler())
	for name, want := range map[string]int{
		"ingestion_store_duration_seconds_count": 8,
		"ingestion_store_errors_total":           8,
		"ingestion_store_breaker_state":          4,
		"ingestion_compensations_total":          8,
		"ingestion_dead_letters_total":           1,
		"process_start_time_seconds":             1,
	} {
		if got := page.count(name); got != want {
			t.Errorf("%s has %d series, want %d", name, got, want)
		}
	}
	promtest.Lint(t, string(page))
}

func TestWorkerObservations(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	w.StoreCall("vector", "put", 300*time.Millisecond, nil)
	w.StoreCall("vector", "put", 100*time.Millisecond, errors.New("no room"))
	w.StoreCall("of another team", "put", time.Second, nil)
	w.StoreBreaker("vector", "open")
	w.StoreBreaker("graph", "half-open")
	w.StoreBreaker("cache", "open")
	w.StoreBreaker("cache", "closed")
	w.StoreBreaker("document", "a new word")
	w.Compensated("document", nil)
	w.Compensated("document", errors.New("unreachable"))
	w.Compensated("document", nil)
	w.DeadLettered("graph")
	scrape(t, w.Handler()).want(t, map[string]float64{
		`ingestion_store_duration_seconds_count{operation="put",store="vector"}`:          2,
		`ingestion_store_duration_seconds_sum{operation="put",store="vector"}`:            0.4,
		`ingestion_store_errors_total{operation="put",store="vector"}`:                    1,
		`ingestion_store_duration_seconds_count{operation="put",store="of another team"}`: 1,
		`ingestion_store_breaker_state{store="vector"}`:                                   2,
		`ingestion_store_breaker_state{store="graph"}`:                                    1,
		`ingestion_store_breaker_state{store="cache"}`:                                    0,
		`ingestion_store_breaker_state{store="document"}`:                                 2,
		`ingestion_compensations_total{outcome="ok",store="document"}`:                    2,
		`ingestion_compensations_total{outcome="failed",store="document"}`:                1,
		`ingestion_dead_letters_total`:                                                    1,
	})
}
