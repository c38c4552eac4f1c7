package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/metrics"
	"sluice/rollout"
)

// page is the text of a /metrics page.
type page string

func scrape(t *testing.T, handler http.Handler) page {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("/metrics: %d %s", answer.Code, answer.Body)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page(text)
}

// value returns the value of the series, written as it is in the text.
func (p page) value(t *testing.T, series string) float64 {
	t.Helper()
	for line := range strings.Lines(string(p)) {
		if rest, found := strings.CutPrefix(line, series+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatalf("%s: %v", series, err)
			}
			return value
		}
	}
	t.Fatalf("there is no series %s", series)
	return 0
}

// want fails the test for each series whose value is another.
func (p page) want(t *testing.T, values map[string]float64) {
	t.Helper()
	for series, want := range values {
		if got := p.value(t, series); got != want {
			t.Errorf("%s = %v, want %v", series, got, want)
		}
	}
}

// count returns the number of series of the name.
func (p page) count(name string) int {
	n := 0
	for line := range strings.Lines(string(p)) {
		if strings.HasPrefix(line, name+"{") || strings.HasPrefix(line, name+" ") {
			n++
		}
	}
	return n
}

// config is a gateway's, with two routes on one task queue.
func config() metrics.GatewayConfig {
	policy := rollout.Reading{Rollout: 100_000, Shadow: 500_000}.Policy(7)
	return metrics.GatewayConfig{
		Version:              "v1.2.3",
		Routes:               []string{"documents", "pictures"},
		FlagNames:            []string{"temporal-rollout-percentage", "temporal-rollout-kill"},
		FlagRejectReasons:    []string{"no-value", "out-of-range"},
		RefusedReasons:       []string{"bare_lf", "cl_and_te"},
		TaskQueues:           []string{"ingestion", "ingestion"},
		Policy:               func() *rollout.Policy { return policy },
		FlagAge:              func() time.Duration { return 1500 * time.Millisecond },
		BodyBytes:            func() int64 { return 4096 },
		BodyBytesLimit:       1 << 20,
		TemporalWaiters:      func() int { return 3 },
		TemporalWaitersLimit: 1000,
		TemporalPollers:      func(string) int { return 2 },
		TemporalUp:           func() bool { return true },
		Lacks:                []string{"pollers", "type"},
		Lacking:              func(route, lack string) bool { return route == "pictures" && lack == "type" },
		Stalled:              func() int { return 5 },
		ShadowClasses:        []string{"agree", "mismatch", "validity", "error", "skipped"},
		ShadowWaiting:        func() int { return 2 },
		ShadowBytes:          func() int64 { return 512 },
		ShadowReady:          func(string) bool { return true },
		Guardrails:           []string{"error_ratio", "error_excess"},
		PlanActions:          []string{"hold", "advance", "pause", "rollback"},
		Steering: func() *metrics.Steering {
			return &metrics.Steering{Step: 2, Guardrails: []metrics.Guardrail{
				{Name: "error_ratio", Action: "rollback", Evidence: 0.25}, {Name: "error_excess", Action: "hold", Evidence: 1, Breached: true}}}
		},
		Draining:   func() bool { return false },
		LogDropped: func() uint64 { return 12 },
	}
}
