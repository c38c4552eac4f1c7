package metrics_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/metrics"
	"sluice/metrics/promtest"
	"sluice/rollout"
)

func TestEverySeriesIsThereFromTheStart(t *testing.T) {
	t.Parallel()
	page := scrape(t, metrics.NewGateway(config()).Handler())
	paths, outcomes, reasons := len(rollout.Paths()), len(rollout.Outcomes()), len(rollout.Reasons())
	for name, want := range map[string]int{
		"gateway_requests_total":                 2*(paths+1)*outcomes + outcomes,
		"gateway_request_duration_seconds_count": 2 * paths,
		"gateway_requests_in_flight":             paths,
		"gateway_unroutable_total":               len(rollout.UnroutableReasons()),
		"gateway_auth_checks_total":              3,
		"gateway_refused_requests_total":         2,
		"gateway_body_bytes_in_flight":           1,
		"gateway_body_bytes_limit":               1,
		"gateway_temporal_waiters":               1,
		"gateway_temporal_waiters_limit":         1,
		"gateway_temporal_pollers":               1,
		"gateway_temporal_up":                    1,
		"gateway_workers_lacking":                2 * 2,
		"rollout_claims_stalled":                 1,
		"gateway_draining":                       1,
		"rollout_log_dropped_total":              1,
		"gateway_build_info":                     1,
		"rollout_decisions_total":                paths * reasons,
		"rollout_exposure_ratio":                 4,
		"rollout_shadow_ratio":                   1,
		"rollout_kill":                           1,
		"rollout_policy_epoch":                   1,
		"rollout_flag_age_seconds":               1,
		"rollout_flag_rejects_total":             4,
		"rollout_rollbacks_total":                2,
		"rollout_plan_decisions_total":           4,
		"rollout_guardrail_evidence":             2,
		"rollout_guardrail_breached":             2,
		"rollout_plan_step":                      1,
		"rollout_alarm":                          1,
		"process_start_time_seconds":             1,
		"go_goroutines":                          1,
	} {
		if got := page.count(name); got != want {
			t.Errorf("%s has %d series, want %d", name, got, want)
		}
	}
}

func TestLiveValues(t *testing.T) {
	t.Parallel()
	page := scrape(t, metrics.NewGateway(config()).Handler())
	page.want(t, map[string]float64{
		`rollout_exposure_ratio{ceiling="flag"}`:                 0.1,
		`rollout_exposure_ratio{ceiling="plan"}`:                 1,
		`rollout_exposure_ratio{ceiling="brake"}`:                1,
		`rollout_exposure_ratio{ceiling="effective"}`:            0.1,
		`rollout_shadow_ratio`:                                   0.5,
		`rollout_kill`:                                           0,
		`rollout_policy_epoch`:                                   7,
		`rollout_flag_age_seconds`:                               1.5,
		`gateway_body_bytes_in_flight`:                           4096,
		`gateway_body_bytes_limit`:                               1 << 20,
		`gateway_temporal_waiters`:                               3,
		`gateway_temporal_waiters_limit`:                         1000,
		`gateway_temporal_pollers{task_queue="ingestion"}`:       2,
		`gateway_temporal_up`:                                    1,
		`gateway_workers_lacking{lack="type",route="pictures"}`:  1,
		`gateway_workers_lacking{lack="type",route="documents"}`: 0,
		`rollout_claims_stalled`:                                 5,
		`gateway_draining`:                                       0,
		`rollout_log_dropped_total`:                              12,
	})
	if !strings.Contains(string(page), `,version="v1.2.3"} 1`) {
		t.Error("gateway_build_info does not say the version")
	}
}

func TestKilledPolicyExposesNothing(t *testing.T) {
	t.Parallel()
	c := config()
	killed := rollout.Reading{Rollout: rollout.All, Kill: true}.Policy(8)
	c.Policy = func() *rollout.Policy { return killed }
	scrape(t, metrics.NewGateway(c).Handler()).want(t, map[string]float64{
		`rollout_exposure_ratio{ceiling="flag"}`:      1,
		`rollout_exposure_ratio{ceiling="effective"}`: 0,
		`rollout_kill`: 1,
	})
}

// A value that nobody can tell is left out; a zero would be a lie.
func TestUnknownValuesAreAbsent(t *testing.T) {
	t.Parallel()
	c := config()
	c.Policy = func() *rollout.Policy { return nil }
	for name, c := range map[string]metrics.GatewayConfig{
		"nothing wired": {TaskQueues: []string{"ingestion"}}, "no policy yet": c,
	} {
		page := scrape(t, metrics.NewGateway(c).Handler())
		if page.count("rollout_exposure_ratio")+page.count("rollout_kill") > 0 {
			t.Errorf("%s: a policy is shown", name)
		}
	}
	bare := scrape(t, metrics.NewGateway(metrics.GatewayConfig{}).Handler())
	for _, name := range []string{
		"rollout_flag_age_seconds", "gateway_temporal_up", "gateway_temporal_pollers", "gateway_workers_lacking", "rollout_claims_stalled",
		"gateway_body_bytes_in_flight", "gateway_body_bytes_limit", "gateway_draining", "rollout_log_dropped_total",
	} {
		if bare.count(name) > 0 {
			t.Errorf("%s is shown", name)
		}
	}
}

func TestWordsOutsideTheirSet(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	g.Refused("bare_lf")
	g.Refused("a new word")
	g.Refused("another")
	g.AuthCheck(metrics.AuthDenied)
	g.FlagReject("temporal-rollout-kill", "out-of-range")
	g.FlagReject("temporal-rollout-kill", "a new word")
	g.FlagReject("a new flag", "out-of-range")
	g.Observe(&rollout.Record{Route: "a new route", DocID: "a", Sent: true})
	scrape(t, g.Handler()).want(t, map[string]float64{
		`gateway_refused_requests_total{reason="bare_lf"}`:                                     1,
		`gateway_refused_requests_total{reason="other"}`:                                       2,
		`gateway_auth_checks_total{result="allowed"}`:                                          0,
		`gateway_auth_checks_total{result="denied"}`:                                           1,
		`rollout_flag_rejects_total{flag="temporal-rollout-kill",reason="out-of-range"}`:       1,
		`rollout_flag_rejects_total{flag="temporal-rollout-kill",reason="other"}`:              1,
		`rollout_flag_rejects_total{flag="other",reason="other"}`:                              1,
		`gateway_requests_total{outcome="ok",path="legacy",route="other"}`:                     1,
		`rollout_flag_rejects_total{flag="temporal-rollout-percentage",reason="out-of-range"}`: 0,
	})
}

func TestGatewayMetricsLint(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	g.Observe(&rollout.Record{Route: "documents", DocID: "doc-123", Sent: true, Duration: time.Second})
	reportSDK(g.TemporalSDK())
	promtest.Lint(t, string(scrape(t, g.Handler())))
}

// Two gateways in one process must not see each other.
func TestRegistriesAreApart(t *testing.T) {
	t.Parallel()
	a, b := metrics.NewGateway(config()), metrics.NewGateway(config())
	a.AuthCheck(metrics.AuthError)
	scrape(t, b.Handler()).want(t, map[string]float64{`gateway_auth_checks_total{result="error"}`: 0})
}

// Prometheus gets native histograms by protobuf and else asks for OpenMetrics.
func TestFormats(t *testing.T) {
	t.Parallel()
	handler := metrics.NewGateway(config()).Handler()
	for accept, want := range map[string]string{
		"application/openmetrics-text;version=1.0.0":                                                 "application/openmetrics-text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
		"": "text/plain",
	} {
		answer, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
		request.Header.Set("Accept", accept)
		handler.ServeHTTP(answer, request)
		if got := answer.Header().Get("Content-Type"); !strings.HasPrefix(got, want) {
			t.Errorf("Accept %q: Content-Type %q, want %s", accept, got, want)
		}
	}
}

// One metric that cannot be gathered is logged and left out: the others, which
// are needed just then, stay.
func TestOneBadMetricLeavesTheOthers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := config()
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	g := metrics.NewGateway(c)
	g.TemporalSDK().Gauge("gateway_requests_total").Update(1) // the name is taken by a counter
	page := scrape(t, g.Handler())
	if page.count("rollout_kill") != 1 {
		t.Error("the other metrics are gone")
	}
	if !strings.Contains(log.String(), "gateway_requests_total") {
		t.Errorf("the log does not name the metric: %s", &log)
	}
}
