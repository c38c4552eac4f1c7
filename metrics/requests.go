package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"sluice/rollout"
)

// passthrough is the route of all requests that are not on an ingestion route.
const passthrough = "passthrough"

// noPath is the path of requests that the gateway itself turned away: they say
// nothing about either.
const noPath = "none"

// requests counts and times what the gateway answered. All its series are
// looked up at the start, so that observing is indexing.
type requests struct {
	passthrough []prometheus.Counter   // by outcome, path legacy
	routes      map[string]*route      // never written after the start
	other       func() *route          // makes its series when first needed
	decisions   [][]prometheus.Counter // by path, reason
}

// route holds the series of one ingestion route.
type route struct {
	requests   [][]prometheus.Counter // by path, outcome
	turnedAway []prometheus.Counter   // by outcome
	duration   []prometheus.Observer  // by path
}

func newRequests(registry *prometheus.Registry, routes []string) *requests {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gateway_requests_total",
		Help: `Requests answered, by outcome; route "passthrough" is no ingestion, path "none" went out on neither.`,
	}, []string{"route", "path", "outcome"})
	duration := prometheus.NewHistogramVec(latency("gateway_request_duration_seconds",
		"Time from a document's head to the end of its answer, ingestion routes only."),
		[]string{"route", "path"})
	decisions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rollout_decisions_total",
		Help: "Documents sent out, by path and by why.",
	}, []string{"path", "reason"})
	registry.MustRegister(total, duration, decisions)

	newRoute := func(name string) *route {
		r := &route{turnedAway: byOutcome(total, name, noPath)}
		for _, path := range rollout.Paths() {
			r.requests = append(r.requests, byOutcome(total, name, path.String()))
			r.duration = append(r.duration, duration.WithLabelValues(name, path.String()))
		}
		return r
	}
	r := &requests{
		passthrough: byOutcome(total, passthrough, rollout.Legacy.String()),
		routes:      make(map[string]*route, len(routes)),
		other:       sync.OnceValue(func() *route { return newRoute(other) }),
	}
	for _, name := range routes {
		r.routes[name] = newRoute(name)
	}
	for _, path := range rollout.Paths() {
		r.decisions = append(r.decisions, byReason(decisions, path))
	}
	return r
}

func byOutcome(vec *prometheus.CounterVec, route, path string) []prometheus.Counter {
	var counters []prometheus.Counter
	for _, outcome := range rollout.Outcomes() {
		counters = append(counters, vec.WithLabelValues(route, path, outcome.String()))
	}
	return counters
}

func byReason(vec *prometheus.CounterVec, path rollout.Path) []prometheus.Counter {
	var counters []prometheus.Counter
	for _, reason := range rollout.Reasons() {
		counters = append(counters, vec.WithLabelValues(path.String(), reason.String()))
	}
	return counters
}

// Observe counts one answered request. A document is timed, and its decision
// counted, only if it was sent out; one that the gateway turned away is counted
// under path "none".
func (g *Gateway) Observe(rec *rollout.Record) {
	outcome := rec.Result.Outcome
	if rec.Spelling != "" {
		g.spellings.count(rec.Spelling)
	}
	if rec.Route == "" {
		g.requests.passthrough[outcome].Inc()
		return
	}
	if rec.Decision.Reason == rollout.ReasonUnroutable {
		g.unroutable.count(rec.Unroutable)
	}
	route, known := g.requests.routes[rec.Route]
	if !known {
		route = g.requests.other()
	}
	if !rec.Sent {
		route.turnedAway[outcome].Inc()
		return
	}
	path := rec.Decision.Path
	route.requests[path][outcome].Inc()
	route.duration[path].Observe(rec.Duration.Seconds())
	g.requests.decisions[path][rec.Decision.Reason].Inc()
}

// flight counts the requests that one path has not answered yet.
type flight struct {
	gauge prometheus.Gauge
	done  func() // made once: a new closure a request would be an allocation
}

func newFlights(registry *prometheus.Registry) []flight {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "gateway_requests_in_flight",
		Help: "Requests that a path has not answered yet.",
	}, []string{"path"})
	registry.MustRegister(vec)
	var flights []flight
	for _, path := range rollout.Paths() {
		gauge := vec.WithLabelValues(path.String())
		flights = append(flights, flight{gauge: gauge, done: gauge.Dec})
	}
	return flights
}

// InFlight counts a request in; the caller calls done once, when it is answered.
func (g *Gateway) InFlight(path rollout.Path) (done func()) {
	g.inFlight[path].gauge.Inc()
	return g.inFlight[path].done
}
