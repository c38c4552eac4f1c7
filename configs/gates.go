package configs

import (
	"fmt"
	"net/url"
	"time"
)

// Gate is an external check that a certificate needs, such as the team's own tests.
// It has one of Command, Webhook and Prometheus.
type Gate struct {
	Name string `yaml:"name"`
	// Command is run without a shell; it says yes by ending with 0.
	Command []string `yaml:"command"`
	// Webhook is a URL that is posted to; it says yes by a 2xx, no by a 4xx.
	Webhook string `yaml:"webhook"`
	// Prometheus says yes if its query has results, none of which is 0.
	Prometheus PrometheusQuery `yaml:"prometheus"`
	// Every is how often it is asked, Timeout how long it may take.
	Every   Duration `yaml:"every"`
	Timeout Duration `yaml:"timeout"`
}

// PrometheusQuery is an instant query.
type PrometheusQuery struct {
	URL   string `yaml:"url"`
	Query string `yaml:"query"`
}

// complete fills in what a gate leaves out.
func (g *Gate) complete() {
	if g.Every == 0 {
		g.Every = Duration(5 * time.Minute)
	}
	if g.Timeout == 0 {
		g.Timeout = Duration(time.Minute)
	}
}

func validateGates(gates []Gate, wrong complain) {
	names := map[string]bool{}
	for i, g := range gates {
		key := fmt.Sprintf("gates[%d]", i)
		wrong.needed(key+".name", g.Name)
		if names[g.Name] {
			wrong(key+".name", "there are two gates named %q", g.Name)
		}
		names[g.Name] = true
		ways := 0
		if len(g.Command) > 0 {
			ways++
			wrong.needed(key+".command[0]", g.Command[0])
		}
		if g.Webhook != "" {
			ways++
			wrong.url(key+".webhook", g.Webhook)
		}
		if g.Prometheus != (PrometheusQuery{}) {
			ways++
			wrong.url(key+".prometheus.url", g.Prometheus.URL)
			wrong.needed(key+".prometheus.query", g.Prometheus.Query)
		}
		if ways != 1 {
			wrong(key, "say how it is asked: one of command, webhook and prometheus")
		}
		wrong.positive(key+".every", g.Every)
		wrong.positive(key+".timeout", g.Timeout)
	}
}

func (wrong complain) url(key, text string) {
	if u, err := url.Parse(text); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		wrong(key, "%q is not a URL such as http://127.0.0.1:9090", text)
	}
}
