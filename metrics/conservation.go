package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sluice/rollout"
)

// conservation shows the books of claims: all of one reading at each scrape, so
// that they add up there too. With a store that gateways share, each shows the same.
type conservation struct {
	routes             []string
	books              func() (rollout.Books, time.Time)
	part, residue, age *prometheus.Desc
}

func newConservation(routes []string, books func() (rollout.Books, time.Time)) *conservation {
	return &conservation{
		routes: routes, books: books,
		part: prometheus.NewDesc("rollout_conservation",
			"Lives of intents since the store of claims was made, by all gateways: accepted = legacy + temporal + in_flight + dead_letter. "+
				"accepted: taken (a new intent, a new life, a retry that goes to legacy again), but not those that ended void, in which nothing ran. "+
				"legacy: answered by legacy, however, or sent to it and lost. temporal: completed, or failed with nothing left behind. "+
				"in_flight: open now, as counted in the store. dead_letter: failed and may have left something behind, or given up by an operator.",
			[]string{"route", "part"}, nil),
		residue: prometheus.NewDesc("rollout_conservation_residue",
			"accepted less the four others. Not 0: so many lives are on no record any more (below 0: so many were never counted as taken).",
			[]string{"route"}, nil),
		age: prometheus.NewDesc("rollout_conservation_age_seconds", "Time since the books were last read.", nil, nil),
	}
}

func (c *conservation) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.part, c.residue, c.age} {
		out <- desc
	}
}

// Collect shows nothing until the books were read for the first time.
func (c *conservation) Collect(out chan<- prometheus.Metric) {
	books, read := c.books()
	if read.IsZero() {
		return
	}
	out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, time.Since(read).Seconds())
	for _, a := range c.named(books) {
		b := a.Balance()
		gauge := func(desc *prometheus.Desc, value int64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), append([]string{a.Route}, labels...)...)
		}
		gauge(c.part, b.Accepted, "accepted")
		gauge(c.part, b.Legacy, "legacy")
		gauge(c.part, b.Temporal, "temporal")
		gauge(c.part, b.InFlight, "in_flight")
		gauge(c.part, b.DeadLetter, "dead_letter")
		gauge(c.residue, b.Residue)
	}
}

// named returns an account for each route there is, and one for all there were.
func (c *conservation) named(books rollout.Books) rollout.Books {
	var named rollout.Books
	for _, route := range c.routes {
		named.Add(rollout.Books{{Route: route}})
	}
	known := len(named)
	for _, a := range books {
		if !contains(named[:known], a.Route) {
			a.Route = other
		}
		named.Add(rollout.Books{a})
	}
	return named
}

func contains(books rollout.Books, route string) bool {
	for i := range books {
		if books[i].Route == route {
			return true
		}
	}
	return false
}
