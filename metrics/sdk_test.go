package metrics_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"sluice/metrics"
	"sluice/metrics/promtest"
)

// reportSDK reports the SDK's own names with its own tags, as a client and a
// worker do.
func reportSDK(handler client.MetricsHandler) {
	base := handler.WithTags(map[string]string{"namespace": "default", "client_name": "temporal_go"})
	base.Counter("temporal_worker_start").Inc(1)
	base.Counter("temporal_sticky_cache_total_forced_eviction").Inc(0)
	base.Gauge("temporal_sticky_cache_size").Update(3)
	base.Gauge("temporal_workflow_active_thread_count").Update(4)
	request := base.WithTags(map[string]string{"operation": "StartWorkflowExecution"})
	request.Counter("temporal_request").Inc(2)
	request.WithTags(map[string]string{"status_code": "Unavailable"}).Counter("temporal_request_failure").Inc(1)
	request.Timer("temporal_request_latency").Record(30 * time.Millisecond)
	request.Timer("temporal_long_request_latency").Record(30 * time.Second)
	queue := base.WithTags(map[string]string{"task_queue": "ingestion", "worker_type": "ActivityWorker"})
	queue.Gauge("temporal_worker_task_slots_available").Update(1000)
	queue.WithTags(map[string]string{"poller_type": "activity_task"}).Gauge("temporal_num_pollers").Update(2)
	queue.WithTags(map[string]string{"activity_type": "put"}).Timer("temporal_activity_execution_latency").Record(time.Millisecond)
}

func TestSDKNamesAndUnits(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	reportSDK(w.TemporalSDK())
	page := scrape(t, w.Handler())
	labels := `{client_name="temporal_go",namespace="default"`
	page.want(t, map[string]float64{
		`temporal_worker_start_total` + labels + `}`:                                                          1,
		`temporal_workflow_active_threads` + labels + `}`:                                                     4,
		`temporal_request_total` + labels + `,operation="StartWorkflowExecution"}`:                            2,
		`temporal_request_latency_seconds_count` + labels + `,operation="StartWorkflowExecution"}`:            1,
		`temporal_request_latency_seconds_sum` + labels + `,operation="StartWorkflowExecution"}`:              0.03,
		`temporal_request_latency_seconds_bucket` + labels + `,operation="StartWorkflowExecution",le="0.02"}`: 0,
	})
	promtest.Lint(t, string(page))
}

// One name comes with different tags: temporal_request with and without an
// operation, or a workflow's counter.
func TestSDKOneNameSeveralLabelSets(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	sdk := w.TemporalSDK()
	sdk.Counter("orders").Inc(1)
	sdk.WithTags(map[string]string{"a": "1"}).Counter("orders").Inc(2)
	sdk.WithTags(map[string]string{"a": "1", "b": "2"}).Counter("orders").Inc(3)
	sdk.WithTags(map[string]string{"a": "1"}).WithTags(map[string]string{"a": "2"}).Counter("orders").Inc(4)
	sdk.WithTags(map[string]string{"a": "1", "b": ""}).Counter("orders").Inc(5)
	scrape(t, w.Handler()).want(t, map[string]float64{
		`orders_total`:              1,
		`orders_total{a="1"}`:       7, // an empty label is none
		`orders_total{a="1",b="2"}`: 3,
		`orders_total{a="2"}`:       4,
	})
}

// Workflows may report whatever they like; nothing of it may panic or spoil the
// page.
func TestSDKNamesMadeValid(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	sdk := w.TemporalSDK().WithTags(map[string]string{
		"le": "1", "quantile": "2", "__name__": "3", "a-b": "4", "a_b": "5", "9": "6", "bad": "\xff", "größe": "7",
	})
	sdk.Counter("my.docs/read_total").Inc(1)
	sdk.Counter("my.docs/read_total").Inc(-1)
	sdk.Timer("9 lives").Record(time.Second)
	sdk.Gauge("").Update(1)
	labels := `{_9="6",a_b="4",bad="` + "\uFFFD" + `",gr__e="7",tag__name__="3",tag_le="1",tag_quantile="2"}`
	scrape(t, w.Handler()).want(t, map[string]float64{
		`my_docs_read_total` + labels:     1,
		`_9_lives_seconds_count` + labels: 1,
		`_` + labels:                      1,
	})
}

// A name keeps the kind it came with first: Prometheus takes but one.
func TestSDKKindsDoNotMix(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	sdk := w.TemporalSDK()
	sdk.Counter("x").Inc(1)
	sdk.Gauge("x_total").Update(5)
	sdk.WithTags(map[string]string{"a": "1"}).Gauge("x_total").Update(5)
	sdk.Timer("y").Record(time.Second)
	sdk.Gauge("y_seconds").Update(5)
	sdk.Gauge("z_seconds").Update(5)
	sdk.Timer("z").Record(time.Second)
	page := scrape(t, w.Handler())
	page.want(t, map[string]float64{"x_total": 1, "y_seconds_count": 1, "z_seconds": 5})
	if page.count("x_total") != 1 || page.count("z_seconds_count") != 0 {
		t.Error("one name has two kinds")
	}
}

func TestSDKConcurrently(t *testing.T) {
	t.Parallel()
	w := metrics.NewWorker(workerConfig())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				reportSDK(w.TemporalSDK())
			}
		})
		group.Go(func() { _ = scrape(t, w.Handler()) })
	}
	group.Wait()
	scrape(t, w.Handler()).want(t, map[string]float64{
		`temporal_worker_start_total{client_name="temporal_go",namespace="default"}`: 1600,
	})
}

// The real SDK reports through the handler: here a client that finds no server.
func TestSDKReportsThroughARealClient(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", MetricsHandler: g.TemporalSDK()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := c.CheckHealth(ctx, nil); err == nil {
		t.Fatal("a server answers on port 1")
	}
	page := scrape(t, g.Handler())
	if !strings.Contains(string(page), "\ntemporal_request_failure_total{") {
		t.Errorf("no failed request is counted:\n%s", page)
	}
	promtest.Lint(t, string(page))
}
