package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

// Wrong usage is 2 and says where help is; help is 0 and on stdout where it was
// asked for.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"", 2, "", "usage: sluice COMMAND"},
		{"help", 0, "usage: sluice COMMAND", ""},
		{"-h", 0, "usage: sluice COMMAND", ""},
		{"--help", 0, "usage: sluice COMMAND", ""},
		{"version", 0, "dev\n", ""},
		{"gatewya", 2, "", "there is no command \"gatewya\"\nhint: sluice help lists the commands"},
		{"gateway -h", 0, "", "-config file"},
		{"worker -h", 0, "", "-config file"},
		{"gateway -nope", 2, "", "hint: sluice gateway -h lists what it takes"},
		{"worker sideways", 2, "", "unexpected argument \"sideways\"\nhint: sluice worker -h"},
		{"demo", 2, "", "usage: sluice demo up|legacy"},
		{"demo sideways", 2, "", "hint: sluice demo -h"},
		{"demo -h", 0, "usage: sluice demo up|legacy", ""},
		{"demo up -h", 0, "", "-data directory"},
		{"demo legacy -h", 0, "", "-token token"},
		{"demo legacy extra", 2, "", "unexpected argument \"extra\""},
		{"validate -h", 0, "", "-legacy-writes"},
		{"rollout", 2, "", "usage: sluice rollout COMMAND"},
		{"rollout -h", 0, "usage: sluice rollout COMMAND", ""},
		{"rollout advance", 2, "", "usage: sluice rollout COMMAND"},
		{"rollout hold", 2, "", "-reason: say why"},
		{"rollout force -reason x", 2, "", "STEP is missing"},
		{"rollout trip -operator http://127.0.0.1:1", 1, "", "hint: -operator names"},
		{"rollback", 2, "", "-reason: say why"},
		{"rollback now -reason x", 2, "", "unexpected argument \"now\""},
		{"rollout ceiling -reason x", 2, "", "N is missing"},
		{"rollout ceiling 100 -reason x", 2, "", "not a percentage from 0 to below 100"},
		{"rollout ceiling NaN -reason x", 2, "", "not a percentage"},
		{"rollout release", 2, "", "-reason: say why"},
		{"rollback -reason x -operator http://127.0.0.1:1", 1, "", "hint: -operator names"},
		{"gateway -config absent.yaml", 1, "", "absent.yaml"},
	} {
		t.Run("sluice "+test.args, func(t *testing.T) {
			t.Parallel()
			p := finish(t, test.code, strings.Fields(test.args)...)
			contains(t, "stdout", p.stdout.String(), test.stdout)
			contains(t, "stderr", p.stderr.String(), test.stderr)
			if test.stdout == "" && p.stdout.String() != "" {
				t.Errorf("stdout says %q", p.stdout.String())
			}
			if test.code == 1 && !strings.Contains(p.stderr.String(), "\nhint: ") {
				t.Errorf("a failure without a hint:\n%s", p.stderr.String())
			}
		})
	}
}

// All commands are in the usage.
func TestUsageListsTheCommands(t *testing.T) {
	t.Parallel()
	text := finish(t, 0, "help").stdout.String()
	for _, c := range commands() {
		contains(t, "the usage", text, "\n  "+c.name+" ", c.brief)
	}
}

// The Temporal server is in devstack alone: this binary stays small and has
// none of its licences, flaws and dependencies.
func TestTemporalServerIsNotLinked(t *testing.T) {
	t.Parallel()
	info, ok := debug.ReadBuildInfo()
	if !ok || len(info.Deps) == 0 {
		t.Fatal("the build tells nothing of its dependencies")
	}
	client := false
	for _, dependency := range info.Deps {
		client = client || dependency.Path == "go.temporal.io/sdk"
		if dependency.Path == "go.temporal.io/server" {
			t.Errorf("%s %s is linked", dependency.Path, dependency.Version)
		}
	}
	if !client {
		t.Error("not even Temporal's client is said to be linked")
	}
}
