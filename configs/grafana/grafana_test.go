package grafana_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"sluice/configs/grafana"
)

func TestQueries(t *testing.T) {
	t.Parallel()
	got, err := grafana.Queries([]byte(`{"panels": [
		{"title": "a", "type": "stat", "targets": [{"refId": "A", "expr": "up"}, {"refId": "B", "expr": "down"}]},
		{"title": "words", "type": "text"},
		{"title": "row", "type": "row", "panels": [
			{"title": "b", "type": "timeseries", "targets": [{"refId": "A", "expr": "rate(x[$__rate_interval])"}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "[a A b A]"; fmt.Sprint([]grafana.PanelQuery{got[0], got[2]}) != want || len(got) != 3 {
		t.Errorf("Queries = %v, want a A, a B, b A", got)
	}
	expr, err := got[2].Expand(20*time.Second, time.Minute)
	if err != nil || expr != "rate(x[20s])" {
		t.Errorf("Expand = %q, %v", expr, err)
	}
}

func TestQueriesRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[`:  "unexpected end",
		`{}`: "no panels",
		`{"panels": [{"title": "a", "type": "stat"}]}`:                                                           `"a" has no query`,
		`{"panels": [{"title": "a", "type": "stat", "targets": [{"refId": "A"}]}]}`:                              `query A of panel "a" is empty`,
		`{"panels": [{"type": "row", "panels": [{"title": "b", "type": "stat", "targets": [{"refId": "A"}]}]}]}`: `panel "b"`,
	} {
		if _, err := grafana.Queries([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Queries(%s): error %v, want one with %q", text, err, want)
		}
	}
	if _, err := (grafana.PanelQuery{Panel: "a", Ref: "A", Expr: `x{route="$route"}`}).Expand(1, 1); err == nil {
		t.Error("Expand took a variable it does not know")
	}
}

// layout is what Grafana needs to draw the panels.
type layout struct {
	UID        string `json:"uid"`
	Templating struct {
		List []struct{ Name string }
	}
	Panels []struct {
		ID         int
		Title      string
		Datasource struct{ UID string }
		Grid       struct{ H, W, X, Y int } `json:"gridPos"`
		Targets    []struct {
			RefID      string
			Datasource struct{ UID string }
		}
		Type string
	}
}

// Grafana shows a broken layout silently: panels that hide each other, or that
// ask a data source which is not there.
func TestDashboardLayout(t *testing.T) {
	t.Parallel()
	var d layout
	if err := json.Unmarshal(grafana.Dashboard(), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || len(d.Templating.List) != 1 || d.Templating.List[0].Name != "datasource" {
		t.Error("the dashboard has no uid, or variables other than the data source")
	}
	ids, titles := map[int]bool{}, map[string]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || titles[p.Title] || p.Title == "" {
			t.Errorf("panel %d %q has no title, or its id or title stands twice", p.ID, p.Title)
		}
		ids[p.ID], titles[p.Title] = true, true
		if p.Type != "row" && p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q asks the data source %q", p.Title, p.Datasource.UID)
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q: query %s stands twice or asks another data source", p.Title, target.RefID)
			}
			refs[target.RefID] = true
		}
	}
	checkOverlaps(t, d)
}

func checkOverlaps(t *testing.T, d layout) {
	t.Helper()
	cells := map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Grid.W < 1 || p.Grid.H < 1 || p.Grid.X+p.Grid.W > 24 {
			t.Errorf("panel %q does not fit: %+v", p.Title, p.Grid)
		}
		for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
			for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
				if under := cells[[2]int{x, y}]; under != "" {
					t.Fatalf("panel %q hides %q", p.Title, under)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
}

// The limits of the migration are drawn: 2 for errors, 5 for latency.
func TestLimitsAreDrawn(t *testing.T) {
	t.Parallel()
	var d struct {
		Panels []struct {
			Title       string
			FieldConfig struct {
				Defaults struct {
					Thresholds struct{ Steps []struct{ Value *float64 } }
					Custom     struct{ ThresholdsStyle struct{ Mode string } }
				}
			}
		}
	}
	if err := json.Unmarshal(grafana.Dashboard(), &d); err != nil {
		t.Fatal(err)
	}
	drawn := map[string]float64{}
	for _, p := range d.Panels {
		steps := p.FieldConfig.Defaults.Thresholds.Steps
		if mode := p.FieldConfig.Defaults.Custom.ThresholdsStyle.Mode; mode == "dashed" && len(steps) == 2 {
			drawn[p.Title] = *steps[1].Value
		}
	}
	if drawn["Errors, Temporal over legacy"] != 2 || drawn["Latency, Temporal over legacy"] != 5 {
		t.Errorf("drawn limits: %v", drawn)
	}
}

func TestProvisioning(t *testing.T) {
	t.Parallel()
	var sources struct {
		Datasources []struct {
			Type, URL string
			IsDefault bool `yaml:"isDefault"`
		}
	}
	read(t, "provisioning/datasources/prometheus.yml", &sources)
	if len(sources.Datasources) != 1 || sources.Datasources[0].Type != "prometheus" || !sources.Datasources[0].IsDefault {
		t.Errorf("data sources: %+v, want one default Prometheus", sources.Datasources)
	}
	var providers struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	read(t, "provisioning/dashboards/sluice.yml", &providers)
	if len(providers.Providers) != 1 || providers.Providers[0].Type != "file" || providers.Providers[0].Options.Path == "" {
		t.Errorf("dashboard providers: %+v, want one of files", providers.Providers)
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
