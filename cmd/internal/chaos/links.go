package chaos

import (
	"errors"

	"sluice/cmd/internal/chaos/faultproxy"
)

// links are the fault proxies, one between each pair.
type links struct {
	legacy, temporal, postgres *faultproxy.Proxy   // postgres may be nil
	doors                      []*faultproxy.Proxy // of the gateways
}

// The shares of requests that something happens to. What is sent to Temporal
// shares its connection with all else, so one fault there is many.
const (
	doorRate     = 0.02
	legacyRate   = 0.02
	temporalRate = 0.006
	postgresRate = 0.004
)

// prefix begins the workflow IDs, by which starts are told from polls.
const prefix = "chaos-id"

func (s *stage) openLinks(legacy, temporal, postgres string, doors []string) error {
	var errs []error
	seed := s.config.Seed << 8
	open := func(listenTo string, rate float64, marker string) *faultproxy.Proxy {
		seed++
		p, err := faultproxy.New(faultproxy.Config{Target: listenTo, Rate: rate, Marker: []byte(marker), MaxStall: maxStall, Seed: seed})
		errs = append(errs, err)
		return p
	}
	s.links.legacy = open(legacy, legacyRate, "")
	s.links.temporal = open(temporal, temporalRate, prefix+"/")
	if postgres != "" {
		s.links.postgres = open(postgres, postgresRate, "")
	}
	for _, door := range doors {
		s.links.doors = append(s.links.doors, open(door, doorRate, ""))
	}
	return errors.Join(errs...)
}

// all lists the links by name.
func (l *links) all() map[string][]*faultproxy.Proxy {
	all := map[string][]*faultproxy.Proxy{"client-gateway": l.doors}
	for name, p := range map[string]*faultproxy.Proxy{"gateway-legacy": l.legacy, "gateway-temporal": l.temporal, "gateway-postgres": l.postgres} {
		if p != nil {
			all[name] = []*faultproxy.Proxy{p}
		}
	}
	return all
}

func (l *links) calm() {
	for _, group := range l.all() {
		for _, p := range group {
			p.Calm()
		}
	}
}

func (l *links) close() {
	for _, group := range l.all() {
		for _, p := range group {
			p.Close()
		}
	}
}
