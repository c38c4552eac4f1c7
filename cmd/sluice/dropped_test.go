package main

import (
	"strings"
	"testing"

	"sluice/rollout"
)

// Each reason is explained, and one of a newer gateway's is shown as it is.
func TestEveryReasonIsExplained(t *testing.T) {
	t.Parallel()
	for _, reason := range rollout.DropReasons() {
		if dropWords(reason.String()) == "" {
			t.Errorf("%s is not explained", reason)
		}
	}
	var out strings.Builder
	printDropped(&out, map[string]uint64{"queue": 2, "another": 1})
	if want := "dropped, another: 1\ndropped, queue: 2 (shadow.queue was full)\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
