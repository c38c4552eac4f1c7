package promtest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/metrics/promtest"
)

func TestServer(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("# TYPE fish gauge\nfish{kind=\"pike\"} 3\nfish{kind=\"eel\"} NaN\n"))
	}))
	defer target.Close()
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte("groups: [{name: a, rules: [{record: 'fish:sum', expr: fish + 1}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := promtest.Start(t, promtest.Config{
		Targets: map[string]string{"pond": strings.TrimPrefix(target.URL, "http://")}, Rules: []string{rules},
	})
	got := s.Await(t, `fish:sum`, 30*time.Second)
	finite := map[string]bool{}
	for _, sample := range got {
		finite[sample.Labels["kind"]] = sample.Finite()
		if sample.Labels["job"] != "pond" || sample.Labels["kind"] == "pike" && sample.Value != 4 {
			t.Errorf("%v", sample)
		}
	}
	if !finite["pike"] || finite["eel"] || len(got) != 2 {
		t.Errorf("samples %v, want a finite pike and an eel that is not", got)
	}
	for expr, want := range map[string]string{"fish[": "parse error", "1": "not a vector"} {
		if _, err := s.Query(t.Context(), expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Query(%s): %v, want an error with %q", expr, err, want)
		}
	}
}

func TestLintTakesGoodMetrics(t *testing.T) {
	t.Parallel()
	promtest.Lint(t, "# HELP fish Fish in the pond.\n# TYPE fish gauge\nfish 3\n")
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

// A check that cannot fail is none.
func TestChecksFail(t *testing.T) {
	t.Parallel()
	for name, check := range map[string]func(testing.TB){
		"a counter without _total": func(t testing.TB) {
			promtest.Lint(t, "# HELP fish Fish.\n# TYPE fish counter\nfish 3\n")
		},
		"no exposition at all": func(t testing.TB) { promtest.Lint(t, "{") },
		"a rules file that is not there": func(t testing.TB) {
			promtest.Promtool(t, ".", "check", "rules", "nowhere.yml")
		},
	} {
		r := &recorder{TB: t}
		if check(r); !r.failed {
			t.Errorf("%s passes", name)
		}
	}
}
