package metrics_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/configs/grafana"
	"sluice/metrics"
	"sluice/metrics/promtest"
	"sluice/rollout"
)

// stack is a gateway and a worker whose pages a Prometheus scrapes.
type stack struct {
	gateway *metrics.Gateway
	worker  *metrics.Worker
	prom    *promtest.Server
}

func startStack(t *testing.T, native bool) *stack {
	t.Helper()
	s := &stack{gateway: metrics.NewGateway(config()), worker: metrics.NewWorker(workerConfig())}
	s.prom = promtest.Start(t, promtest.Config{
		Targets: map[string]string{
			"sluice-gateway": serve(t, s.gateway.Handler()),
			"sluice-worker":  serve(t, s.worker.Handler()),
		},
		Rules:            []string{"../configs/prometheus/recording.yml", "../configs/prometheus/alerts.yml"},
		Interval:         500 * time.Millisecond,
		NativeHistograms: native,
	})
	return s
}

func serve(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// ingest keeps documents coming on the paths until the context ends: one in
// twenty fails, and Temporal takes twice as long as legacy.
func (s *stack) ingest(ctx context.Context, paths ...rollout.Path) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		for _, path := range paths {
			rec := &rollout.Record{
				Route: "documents", DocID: "doc", Sent: true, Decision: rollout.Decision{Path: path},
				Duration: time.Duration(path+1) * 20 * time.Millisecond,
			}
			if n%20 == 0 {
				rec.Result.Outcome = rollout.OutcomeFailed
			}
			s.gateway.Observe(rec)
		}
		s.worker.StoreCall("vector", "put", 10*time.Millisecond, nil)
		s.worker.StoreCall("graph", "put", time.Second, errors.New("no"))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

const patience = 30 * time.Second

// Prometheus drops the classic buckets once native histograms are switched on,
// so each panel is asked in both modes.
func TestEveryPanelShowsData(t *testing.T) {
	t.Parallel()
	queries, err := grafana.Queries(grafana.Dashboard())
	if err != nil {
		t.Fatal(err)
	}
	for name, native := range map[string]bool{"classic": false, "native": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startStack(t, native)
			go s.ingest(t.Context(), rollout.Paths()...)
			for _, query := range queries {
				expr, err := query.Expand(10*time.Second, time.Minute)
				if err != nil {
					t.Error(err)
					continue
				}
				for _, sample := range s.prom.Await(t, expr, patience) {
					if !sample.Finite() {
						t.Errorf("%s: %v", query, sample)
					}
				}
			}
			s.checkForms(t, native)
			s.checkRatios(t)
		})
	}
}

// checkForms makes sure that the mode is the one meant.
func (s *stack) checkForms(t *testing.T, native bool) {
	t.Helper()
	for expr, want := range map[string]bool{
		`gateway_request_duration_seconds_bucket`:               !native,
		`histogram_count(gateway_request_duration_seconds) > 0`: native,
	} {
		samples, err := s.prom.Query(t.Context(), expr)
		if err != nil {
			t.Error(err)
		}
		if got := len(samples) > 0; got != want {
			t.Errorf("%s gives %d samples; native histograms: %v", expr, len(samples), native)
		}
	}
}

// checkRatios compares what the rules make of the traffic with what it was.
func (s *stack) checkRatios(t *testing.T) {
	t.Helper()
	for measure, want := range map[string]float64{"errors": 1, "p50": 2, "p90": 2, "p99": 2} {
		samples := s.prom.Await(t, `rollout:temporal_over_legacy:ratio{measure="`+measure+`"}`, patience)
		for _, sample := range samples {
			if sample.Value < want*0.6 || sample.Value > want*1.4 {
				t.Errorf("Temporal over legacy, %s: %v, want about %v", measure, sample.Value, want)
			}
		}
	}
}

// With no document on one path, what has no value is absent and never NaN.
// promtool cannot test native series, so this one runs.
func TestRulesWithoutTrafficOnTemporal(t *testing.T) {
	t.Parallel()
	s := startStack(t, true)
	go s.ingest(t.Context(), rollout.Legacy)
	s.prom.Await(t, `path:gateway_request_duration_seconds:p99{path="legacy"}`, patience)
	s.prom.Await(t, `path:gateway_request_errors:ratio_rate30m{path="legacy"}`, patience)
	samples, err := s.prom.Query(t.Context(), `{__name__=~".+:.+"}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples {
		name := sample.Labels["__name__"]
		if !sample.Finite() {
			t.Errorf("%v", sample)
		}
		if name == "rollout:temporal_over_legacy:ratio" ||
			strings.HasPrefix(name, "path:gateway_request_duration") && sample.Labels["path"] == "temporal" {
			t.Errorf("%v, of a path without traffic", sample)
		}
	}
}
