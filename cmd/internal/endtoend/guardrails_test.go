package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/rollout/control/loop"
	"sluice/temporalpath/ingestion/faults"
)

// stream posts new documents at a rate until it is stopped.
type stream struct {
	mu     sync.Mutex
	counts map[string]int // by path and whether it failed; guarded by mu
	stop   func()
}

// flow posts so many new documents a second, to all of the addresses in turn.
func (s *stack) flow(t *testing.T, prefix string, rate int, addresses ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &stream{counts: map[string]int{}}
	var next atomic.Int64
	var clients sync.WaitGroup
	began := time.Now()
	for range 48 {
		clients.Go(func() {
			for {
				n := next.Add(1) - 1
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(rate)))):
				}
				a, err := s.postTo(context.WithoutCancel(ctx), addresses[int(n)%len(addresses)], documentBody(fmt.Sprint(prefix, n)))
				f.note(a, err)
			}
		})
	}
	f.stop = sync.OnceFunc(func() { cancel(); clients.Wait() })
	t.Cleanup(f.stop)
	return f
}

func (f *stream) note(a answer, err error) {
	what := "unanswered"
	if err == nil {
		what = a.path()
		if a.header.Get("Rollout-Reason") == "brake" {
			what = "braked"
		}
		if a.status >= 500 {
			what += " failed"
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[what]++
}

func (f *stream) of(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[what]
}

// plan reads how the plan and the guardrails stand.
func (s *stack) plan(t *testing.T) *loop.View {
	t.Helper()
	v := &loop.View{}
	s.looked(t, "plan", v)
	return v
}

func (s *stack) looked(t *testing.T, name string, into any) {
	t.Helper()
	a := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/"+name)
	if a.status != http.StatusOK {
		t.Fatalf("%s: %v", name, a)
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) trips(t *testing.T) []loop.Trip {
	t.Helper()
	var trips loop.Trips
	s.looked(t, "trips", &trips)
	return trips.Trips
}

// guarded is a stack at an exposure, with so many documents a second and thresholds
// known.
func guarded(t *testing.T, percent float64, rate int, settings ...string) (*stack, *stream) {
	t.Helper()
	s := assemble(t, "", settings...)
	s.work(t)
	s.rollTo(t, percent)
	s.setFaults(t, s.legacy, `{"latency":"150ms"}`)
	f := s.flow(t, "doc-", rate, s.gateway.PublicAddress())
	eventually(t, "thresholds are known", func() bool { return s.plan(t).Thresholds != nil })
	return s, f
}

// wantTrip waits for a rollback and checks its report.
func (s *stack) wantTrip(t *testing.T, guardrails ...string) loop.Trip {
	t.Helper()
	s.reads(t, s.gateway.OperatorAddress(), exposure, "0")
	eventually(t, "there is a report", func() bool { return len(s.trips(t)) == 1 })
	trip := s.trips(t)[0]
	for _, name := range guardrails {
		if trip.Guardrail == name {
			return trip
		}
	}
	t.Errorf("rolled back for %s, want one of %s", trip.Guardrail, guardrails)
	return trip
}

// wantNone checks that nothing tripped, and that there was something to see.
func (s *stack) wantNone(t *testing.T) {
	t.Helper()
	v := s.plan(t)
	if v.Brake != 100 || len(s.trips(t)) > 0 {
		t.Errorf("rolled back: %+v", s.trips(t))
	}
	for _, m := range v.Meters {
		t.Logf("%-15s evidence %.2f", m.Guardrail, m.Evidence)
	}
}

// These tests are not parallel: with others beside them the whole machine is slow, and
// latencies say nothing.

// A worker that becomes thirty times as bad as legacy, at 10 %, is rolled back with
// few documents failed; the report says for what, and a release lifts the brake.
func TestAWorseWorkerIsRolledBack(t *testing.T) {
	s, f := guarded(t, 10, 60, latencies("rollback")...)
	s.setFaults(t, s.legacy, `{"latency":"150ms","error_rate":0.01}`)
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.01}`)
	time.Sleep(5 * time.Second)
	before := f.of("temporal failed")
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.3}`)
	began := time.Now()
	trip := s.wantTrip(t, "error_ratio", "latency_p99", "latency_p90")
	took := time.Since(began)
	failed := f.of("temporal failed") - before
	t.Logf("rolled back after %s and %d failed documents; %s", took.Round(time.Millisecond), failed, trip.Cause)
	if failed == 0 || failed > 60 {
		t.Errorf("%d documents failed before the rollback", failed)
	}
	if trip.From != 10 || trip.Counters.Temporal.Bad == 0 || len(trip.Evidence) == 0 || len(trip.Documents) == 0 || len(trip.Meters) == 0 {
		t.Errorf("the report is %+v", trip)
	}
	eventually(t, "only the brake keeps documents from Temporal", func() bool { return f.of("braked") > 5 })
	s.setFaults(t, s.worker.Address(), `{}`)
	s.setFaults(t, s.legacy, `{}`)
	s.release(t, s.gateway.OperatorAddress())
	s.reads(t, s.gateway.OperatorAddress(), exposure, "0.1")
	time.Sleep(5 * time.Second)
	if n := len(s.trips(t)); n != 1 || s.plan(t).Brake != 100 {
		t.Errorf("after the release: %d reports, %+v", n, s.plan(t).Decision)
	}
}

func TestASlowWorkerIsRolledBack(t *testing.T) {
	s, f := guarded(t, 25, 25, latencies("rollback")...)
	s.setFaults(t, s.worker.Address(), `{"latency":"10s"}`)
	began := time.Now()
	defer func() {
		if v := s.plan(t); t.Failed() {
			t.Logf("%s: slow above %s; %+v; %+v; %+v", v.Decision.Reason, v.Thresholds, v.Tally.Temporal, v.Tally.Legacy, v.Meters[3:6])
		}
	}()
	trip := s.wantTrip(t, "latency_p50", "latency_p90", "latency_p99")
	t.Logf("rolled back after %s for %s; Temporal is slow above %s; failed: %d", time.Since(began).Round(time.Millisecond), trip.Guardrail, s.plan(t).Thresholds, f.of("temporal failed"))
}

// What hits both paths alike, a poisoned document, and a legacy that is worse than
// Temporal are no reasons.
func TestWhatTripsNothing(t *testing.T) {
	s, f := guarded(t, 25, 30)
	s.setFaults(t, s.legacy, `{"latency":"150ms","error_rate":0.4}`)
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.4}`)
	time.Sleep(8 * time.Second)
	s.setFaults(t, s.legacy, `{"latency":"150ms"}`)
	s.setFaults(t, s.worker.Address(), `{}`)
	if f.of("temporal failed") == 0 || f.of("legacy failed") == 0 {
		t.Error("the shared outage hit nobody")
	}
	s.poison(t)
	s.setFaults(t, s.legacy, `{"latency":"150ms","error_rate":0.15}`)
	time.Sleep(8 * time.Second)
	f.stop()
	s.wantNone(t)
}

// poison posts one document fifty times that fails on Temporal each time, with
// another text each time, so that each is an intent of its own.
func (s *stack) poison(t *testing.T) {
	t.Helper()
	const rate = 0.001
	var f faults.Switch
	if err := f.Set(faults.Settings{ErrorRate: rate}); err != nil {
		t.Fatal(err)
	}
	id := ""
	for n := 0; id == ""; n++ {
		if candidate := fmt.Sprint("poison-", n); f.Fails(candidate) && expectedPath(candidate, 25) == "temporal" {
			id = candidate
		}
	}
	s.setFaults(t, s.worker.Address(), fmt.Sprintf(`{"error_rate":%v}`, rate))
	defer s.setFaults(t, s.worker.Address(), `{}`)
	for n := range 50 {
		a := s.mustPost(t, fmt.Sprintf(`{"doc_id":%q,"text":"Ada, for the %dth time"}`, id, n))
		if a.status < 500 || a.path() != "temporal" {
			s.wantNone(t)
			t.Fatalf("retry %d of %s: %v", n, id, a)
		}
	}
}

// Gateways count together, one decides for all, and another goes on where that one was
// if it is gone.
func TestGatewaysRollBackTogether(t *testing.T) {
	s, _ := onPostgres(t)
	s.work(t)
	second := s.openGateway(t, "data="+s.dir+"/second")
	third, stop := s.runGateway(t, append(s.settings, "data="+s.dir+"/third"))
	addresses := []string{s.gateway.PublicAddress(), second.PublicAddress()}
	s.rollTo(t, 25)
	for _, operator := range []string{second.OperatorAddress(), third.OperatorAddress()} {
		s.reads(t, operator, exposure, "0.25")
	}
	s.setFaults(t, s.legacy, `{"error_rate":0.01}`)
	f := s.flow(t, "doc-", 50, append(addresses, third.PublicAddress())...)
	leads := func() string { return s.plan(t).Leader }
	eventually(t, "one decides", func() bool { return leads() != "" && f.of("temporal") > 20 })
	before := leads()
	f.stop()
	stop() // perhaps the one that decides
	f = s.flow(t, "more-", 50, addresses...)
	s.setFaults(t, s.worker.Address(), `{"error_rate":0.4}`)
	began := time.Now()
	trip := s.wantTrip(t, "error_ratio")
	s.reads(t, second.OperatorAddress(), exposure, "0")
	t.Logf("%s decided first, %s at last; rolled back after %s and %d failed documents", before, trip.By, time.Since(began).Round(time.Millisecond), f.of("temporal failed"))
	var theirs loop.View
	a := get(t, s.client, "http://"+second.OperatorAddress()+"/api/plan")
	if err := json.Unmarshal(a.body, &theirs); err != nil || theirs.Brake != 0 {
		t.Errorf("the other gateway says %+v, %v", theirs, err)
	}
}
