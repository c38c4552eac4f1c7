package metrics_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/metrics"
	"sluice/rollout"
)

func TestObserve(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	for range 3 {
		g.Observe(&rollout.Record{
			Route: "documents", DocID: "doc-123", Sent: true, Duration: 40 * time.Millisecond,
			Decision: rollout.Decision{Path: rollout.Temporal, Reason: rollout.ReasonSplit},
			Result:   rollout.Result{Outcome: rollout.OutcomeAccepted},
		})
	}
	g.Observe(&rollout.Record{
		Route: "documents", DocID: "doc-123", Sent: true, Duration: 2 * time.Second,
		Decision: rollout.Decision{Path: rollout.Legacy, Reason: rollout.ReasonKill},
		Result:   rollout.Result{Outcome: rollout.OutcomeTimeout},
	})
	page := scrape(t, g.Handler())
	page.want(t, map[string]float64{
		`gateway_requests_total{outcome="accepted",path="temporal",route="documents"}`:         3,
		`gateway_requests_total{outcome="timeout",path="legacy",route="documents"}`:            1,
		`gateway_requests_total{outcome="timeout",path="legacy",route="pictures"}`:             0,
		`rollout_decisions_total{path="temporal",reason="split"}`:                              3,
		`rollout_decisions_total{path="legacy",reason="kill"}`:                                 1,
		`gateway_request_duration_seconds_count{path="temporal",route="documents"}`:            3,
		`gateway_request_duration_seconds_sum{path="legacy",route="documents"}`:                2,
		`gateway_request_duration_seconds_bucket{path="temporal",route="documents",le="0.03"}`: 0,
		`gateway_request_duration_seconds_bucket{path="temporal",route="documents",le="0.05"}`: 3,
	})
	if strings.Contains(string(page), "doc-123") {
		t.Error("a doc_id stands in the metrics")
	}
}

func TestObservePassthrough(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	g.Observe(&rollout.Record{Sent: true, Duration: time.Second, Result: rollout.Result{Outcome: rollout.OutcomeFailed}})
	page := scrape(t, g.Handler())
	page.want(t, map[string]float64{
		`gateway_requests_total{outcome="failed",path="legacy",route="passthrough"}`: 1,
		`rollout_decisions_total{path="legacy",reason="split"}`:                      0,
	})
	if strings.Contains(string(page), `duration_seconds_count{path="legacy",route="passthrough"}`) {
		t.Error("passthrough is timed")
	}
}

// A request that the gateway turned away must not look like a fast, failed or
// invalid document of legacy: its decision is the zero one.
func TestObserveTurnedAway(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	g.Observe(&rollout.Record{Route: "documents", Result: rollout.Result{Outcome: rollout.OutcomeRefused}})
	scrape(t, g.Handler()).want(t, map[string]float64{
		`gateway_requests_total{outcome="refused",path="none",route="documents"}`:   1,
		`gateway_requests_total{outcome="refused",path="legacy",route="documents"}`: 0,
		`rollout_decisions_total{path="legacy",reason="split"}`:                     0,
		`gateway_request_duration_seconds_count{path="legacy",route="documents"}`:   0,
	})
}

func TestObserveOtherSpelling(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	g.Observe(&rollout.Record{Spelling: "documents", Sent: true})
	g.Observe(&rollout.Record{Route: "documents", Spelling: "documents", Result: rollout.Result{Outcome: rollout.OutcomeInvalid}})
	scrape(t, g.Handler()).want(t, map[string]float64{
		`rollout_other_spelling_total{route="documents"}`:                         2,
		`rollout_other_spelling_total{route="pictures"}`:                          0,
		`gateway_requests_total{outcome="invalid",path="none",route="documents"}`: 1,
	})
}

func TestObserveUnroutable(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	unroutable := rollout.Decision{Reason: rollout.ReasonUnroutable}
	for _, reason := range []string{"empty", "not-json"} {
		g.Observe(&rollout.Record{Route: "documents", Decision: unroutable, Unroutable: reason,
			Result: rollout.Result{Outcome: rollout.OutcomeInvalid}})
	}
	// What was passed on was once counted as "other": its result has no error.
	passed := &rollout.Record{Route: "documents", Decision: unroutable, Unroutable: "not-json", Sent: true}
	g.Observe(passed)
	scrape(t, g.Handler()).want(t, map[string]float64{
		`gateway_unroutable_total{reason="empty"}`:                                1,
		`gateway_unroutable_total{reason="not-json"}`:                             2,
		`gateway_requests_total{outcome="invalid",path="none",route="documents"}`: 2,
		`gateway_requests_total{outcome="ok",path="legacy",route="documents"}`:    1,
		`rollout_decisions_total{path="legacy",reason="unroutable"}`:              1,
		`gateway_request_duration_seconds_count{path="legacy",route="documents"}`: 1,
	})
}

func TestInFlight(t *testing.T) {
	t.Parallel()
	g := metrics.NewGateway(config())
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { g.InFlight(rollout.Legacy)() })
	}
	group.Wait()
	done := g.InFlight(rollout.Temporal)
	during := scrape(t, g.Handler())
	done()
	during.want(t, map[string]float64{
		`gateway_requests_in_flight{path="legacy"}`:   0,
		`gateway_requests_in_flight{path="temporal"}`: 1,
	})
	scrape(t, g.Handler()).want(t, map[string]float64{`gateway_requests_in_flight{path="temporal"}`: 0})
}

func record() *rollout.Record {
	return &rollout.Record{
		Route: "documents", DocID: "doc-123", Sent: true, Duration: 40 * time.Millisecond,
		Decision: rollout.Decision{Path: rollout.Temporal},
	}
}

// Observing must not allocate: it is on every request's way.
func TestObservingDoesNotAllocate(t *testing.T) {
	g, rec := metrics.NewGateway(config()), record()
	if n := testing.AllocsPerRun(1000, func() {
		done := g.InFlight(rollout.Temporal)
		g.Observe(rec)
		g.AuthCheck(metrics.AuthAllowed)
		done()
	}); n > 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	g, rec := metrics.NewGateway(config()), record()
	b.ReportAllocs()
	for b.Loop() {
		g.Observe(rec)
	}
}

func BenchmarkInFlight(b *testing.B) {
	g := metrics.NewGateway(config())
	b.ReportAllocs()
	for b.Loop() {
		g.InFlight(rollout.Temporal)()
	}
}
