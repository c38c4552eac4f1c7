// Package grafana holds the dashboards and reads the queries of their panels,
// so that tests can run every one of them against a real Prometheus: a query
// that says nothing is found there and not during a rollback.
//
// Grafana itself reads the JSON files and the provisioning files beside them.
package grafana

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

//go:embed dashboards/sluice.json
var sluice string

// Dashboard returns the JSON of the dashboard "Sluice: two paths side by side".
func Dashboard() []byte { return []byte(sluice) }

// PanelQuery is one query of one panel.
type PanelQuery struct {
	// Panel is the panel's title.
	Panel string
	// Ref is the query's letter within the panel.
	Ref string
	// Expr is PromQL with Grafana's macros in it; see Expand.
	Expr string
}

// String names the query, as in "Latency p99 A".
func (q PanelQuery) String() string { return q.Panel + " " + q.Ref }

// Expand returns the expression with Grafana's macros filled in, as for a
// dashboard whose rate interval is rate and whose time range is span. It fails
// if a variable is left, which Prometheus would refuse.
func (q PanelQuery) Expand(rate, span time.Duration) (string, error) {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }
	expr := strings.NewReplacer(
		"$__rate_interval", seconds(rate),
		"$__interval", seconds(rate),
		"$__range", seconds(span),
	).Replace(q.Expr)
	if strings.Contains(expr, "$") {
		return "", fmt.Errorf("query %s has a variable that Expand does not know: %s", q, expr)
	}
	return expr, nil
}

type panel struct {
	Title   string `json:"title"`
	Type    string `json:"type"`
	Targets []struct {
		RefID string `json:"refId"`
		Expr  string `json:"expr"`
	} `json:"targets"`
	Panels []panel `json:"panels"` // of a collapsed row
}

// Queries returns the queries of all panels, in order. It fails if the text is
// not a dashboard, or if a panel other than a row or a text has no query.
func Queries(dashboardJSON []byte) ([]PanelQuery, error) {
	var dashboard struct {
		Panels []panel `json:"panels"`
	}
	if err := json.Unmarshal(dashboardJSON, &dashboard); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if len(dashboard.Panels) == 0 {
		return nil, errors.New("dashboard: it has no panels")
	}
	return queriesOf(dashboard.Panels)
}

func queriesOf(panels []panel) ([]PanelQuery, error) {
	var queries []PanelQuery
	for _, p := range panels {
		if len(p.Targets) == 0 && p.Type != "row" && p.Type != "text" {
			return nil, fmt.Errorf("dashboard: panel %q has no query", p.Title)
		}
		for _, target := range p.Targets {
			if target.Expr == "" {
				return nil, fmt.Errorf("dashboard: query %s of panel %q is empty", target.RefID, p.Title)
			}
			queries = append(queries, PanelQuery{Panel: p.Title, Ref: target.RefID, Expr: target.Expr})
		}
		inner, err := queriesOf(p.Panels)
		if err != nil {
			return nil, err
		}
		queries = append(queries, inner...)
	}
	return queries, nil
}
