package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"sluice/rollout"
)

// claims counts what becomes of claims through this process. What happened to them
// over all gateways and restarts is in the books: see conservation.
type claims struct {
	taken, moved, stuck vocabulary
	settled             map[string][][]prometheus.Counter // by route, path, state; never written after the start
	other               [][]prometheus.Counter
}

func newClaims(g *Gateway, routes []string) claims {
	settled := g.counter("rollout_claims_settled_total",
		"Claims settled, by path and how: done, failed, dead-letter, lost or void.", "route", "path", "state")
	c := claims{
		taken: newVocabulary(g.counter("rollout_claims_taken_total",
			"Claims opened: by a new intent, a new life, or a retry that goes out again.", "route"), routes),
		moved: newVocabulary(g.counter("rollout_claims_moved_total",
			"Claims moved to legacy on proof that Temporal did not take the document.", "route"), routes),
		stuck: newVocabulary(g.counter("rollout_claims_stuck_total",
			"Claims found that only an operator can settle.", "route"), routes),
		settled: map[string][][]prometheus.Counter{},
	}
	byPath := func(route string) (counters [][]prometheus.Counter) {
		for _, path := range rollout.Paths() {
			var byState []prometheus.Counter
			for _, state := range rollout.ClaimStates() {
				byState = append(byState, settled.WithLabelValues(route, path.String(), state.String()))
			}
			counters = append(counters, byState)
		}
		return counters
	}
	for _, route := range routes {
		c.settled[route] = byPath(route)
	}
	c.other = byPath(other)
	return c
}

// ClaimTaken counts a claim that was opened.
func (g *Gateway) ClaimTaken(route string) { g.claims.taken.count(route) }

// ClaimMoved counts a fallback.
func (g *Gateway) ClaimMoved(route string) { g.claims.moved.count(route) }

// ClaimStuck counts a claim that nobody but an operator can settle.
func (g *Gateway) ClaimStuck(route string) { g.claims.stuck.count(route) }

// ClaimSettled counts a claim that was settled.
func (g *Gateway) ClaimSettled(route string, path rollout.Path, state rollout.ClaimState) {
	counters, known := g.claims.settled[route]
	if !known {
		counters = g.claims.other
	}
	counters[path][state].Inc()
}
