package endtoend_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"sluice/configs/grafana"
	"sluice/metrics/promtest"
)

// Every panel shows data of a real Prometheus that scrapes the real gateway and
// the real worker while documents go both ways.
func TestEveryPanelShowsTheRealStack(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "plan.steps=[{exposure: 50, dwell: 1h}, {exposure: 100}]")
	s.work(t)
	s.rollTo(t, 50)
	prometheus := promtest.Start(t, promtest.Config{
		Targets:  map[string]string{"sluice-gateway": s.gateway.OperatorAddress(), "sluice-worker": s.worker.Address()},
		Rules:    []string{"../../../configs/prometheus/recording.yml", "../../../configs/prometheus/alerts.yml"},
		Interval: 500 * time.Millisecond,
	})
	stop := s.failNowAndThen(t)
	defer stop()
	queries, err := grafana.Queries(grafana.Dashboard())
	if err != nil || len(queries) < 10 {
		t.Fatalf("%d queries, %v", len(queries), err)
	}
	for _, query := range queries {
		expr, err := query.Expand(10*time.Second, time.Minute)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, sample := range prometheus.Await(t, expr, 2*time.Minute) {
			if !sample.Finite() {
				t.Errorf("%s: %v", query, sample)
			}
		}
	}
}

// failNowAndThen posts documents on both paths, one in ten of which fails.
func (s *stack) failNowAndThen(t *testing.T) (stop func()) {
	t.Helper()
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.1}`)
	s.setFaults(t, s.legacy, `{"error_rate":0.1}`)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			// That it is answered is another test's affair.
			_, _ = s.post(ctx, documentBody(fmt.Sprintf("panel-%d", i)))
		}
	})
	return func() { cancel(); group.Wait() }
}

// What the real stack exposes keeps to Prometheus' conventions.
func TestMetricsOfTheRealStackAreClean(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "plan.steps=[{exposure: 50, dwell: 1h}, {exposure: 100}]")
	s.work(t)
	s.rollTo(t, 50)
	for i := range 20 {
		s.mustPost(t, string(documentBody(fmt.Sprint("lint-", i))))
	}
	for _, address := range []string{s.gateway.OperatorAddress(), s.worker.Address()} {
		page := get(t, s.client, "http://"+address+"/metrics")
		if page.status != http.StatusOK {
			t.Fatalf("%s: %d", address, page.status)
		}
		promtest.Lint(t, string(page.body))
	}
}
