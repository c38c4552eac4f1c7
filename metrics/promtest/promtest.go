// Package promtest runs the real Prometheus and promtool for tests, from PATH.
// A missing binary fails the test and says how to get it: a check that skips
// itself is no check.
//
// Invariants:
//   - A server listens on a loopback port that the system chose, keeps its data
//     in the test's own directory and is gone when the test ends.
//   - Only the process started here is ever signalled.
package promtest

import (
	"os/exec"
	"strings"
	"testing"
)

const install = "install it with: apt-get install prometheus"

func binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not in PATH (%s): %v", name, install, err)
	}
	return path
}

// Promtool runs promtool in dir with the arguments and fails the test with its
// output unless it succeeds.
func Promtool(t testing.TB, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t, "promtool"), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Lint runs "promtool check metrics" over the text of a /metrics page and fails
// the test on any complaint.
func Lint(t testing.TB, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
