package main

import (
	"io"
	"strings"
	"testing"

	"sluice/rollout/guard"
	"sluice/rollout/guard/simulate"
)

func TestLinesSayWhatHappened(t *testing.T) {
	var out strings.Builder
	tab := table{out: &out, config: guard.Defaults(), runs: 4, seed: 1}
	tab.part("Errors", "traffic")
	tab.errors("10/s", "no difference", simulate.Traffics()[0].Steady(1))
	tab.errors("10/s", "half fails", simulate.Traffics()[0].Harmed(0.5))
	tab.lines.Flush()
	lines := strings.Split(out.String(), "\n")
	if len(lines) < 4 || !strings.Contains(lines[2], "no difference  0.0 %") || !strings.Contains(lines[3], "half fails     100.0 %") {
		t.Errorf("%s", out.String())
	}
}

func TestBadRunsSayWhatToDo(t *testing.T) {
	if err := run([]string{"-runs", "0"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "leave it out") {
		t.Error(err)
	}
}
