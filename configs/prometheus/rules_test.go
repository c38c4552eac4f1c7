package prometheus_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/metrics/promtest"
	"sluice/rollout"
)

func TestConfigurations(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"prometheus.yml", "prometheus.local.yml"} {
		promtest.Promtool(t, ".", "check", "config", "--lint=all", "--lint-fatal", file)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	promtest.Promtool(t, ".", "check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml")
	for _, file := range []string{"recording.test.yml", "alerts.test.yml"} {
		promtest.Promtool(t, "testdata", "test", "rules", file)
	}
}

// Every alert has a test that makes it fire: one that cannot fire is worse than
// none.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	rules, tests := text(t, "alerts.yml"), text(t, "testdata/alerts.test.yml")
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(alerts) == 0 {
		t.Fatal("alerts.yml has no alerts")
	}
	for _, alert := range alerts {
		fires := regexp.MustCompile(`alertname="` + alert[1] + `"[^}]*}', value: 1|alertname: ` + alert[1] + `\n\s+eval_time: \w+\n\s+exp_alerts:\n`)
		if !fires.MatchString(tests) {
			t.Errorf("no test makes %s fire", alert[1])
		}
	}
}

// The rules' list of bad outcomes is the hub's.
func TestBadOutcomesAreTheHubs(t *testing.T) {
	t.Parallel()
	var bad []string
	for _, outcome := range rollout.Outcomes() {
		if outcome.Bad() {
			bad = append(bad, outcome.String())
		}
	}
	slices.Sort(bad)
	for _, file := range []string{"recording.yml", "alerts.yml"} {
		lists := regexp.MustCompile(`outcome=~"([^"]*)"`).FindAllStringSubmatch(text(t, file), -1)
		if len(lists) == 0 {
			t.Errorf("%s names no outcomes", file)
		}
		for _, list := range lists {
			named := strings.Split(list[1], "|")
			if slices.Sort(named); !slices.Equal(named, bad) {
				t.Errorf("%s counts %v as bad, the hub %v", file, named, bad)
			}
		}
	}
}

// The alerts ask by job name, so both configurations must use the names.
func TestJobsOfTheAlertsAreScraped(t *testing.T) {
	t.Parallel()
	for _, job := range regexp.MustCompile(`job="([^"]*)"`).FindAllStringSubmatch(text(t, "alerts.yml"), -1) {
		for _, file := range []string{"prometheus.yml", "prometheus.local.yml"} {
			if !strings.Contains(text(t, file), "job_name: "+job[1]+"\n") {
				t.Errorf("%s scrapes no job %s", file, job[1])
			}
		}
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	bytes, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}
