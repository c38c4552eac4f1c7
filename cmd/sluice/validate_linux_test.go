package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// The command from the shell: stopped in the middle it says how to go on, run again it
// ends with the certificate, which so few requests do not make green.
func TestValidateFromTheShell(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.up(t)
	s.ask(t, 404, "GET", "/v1/documents/backlog-0", "")
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "{\"method\":\"POST\",\"path\":\"/v1/documents\",\"body\":{\"doc_id\":\"backlog-%d\",\"text\":\"Ada\"}}\n", i)
	}
	args := []string{
		"validate", "-config", shipped(t, "gateway.yaml"), "-file", write(t, "requests.jsonl", text.String()),
		"-headers", write(t, "headers", "Authorization: Bearer "+s.token+"\n"), "-parallel", "2",
		"-set", `legacy.dry_run.header="X-Dry-Run: true"`, "-set", "temporal.address=" + s.server, "-set", "legacy.url=http://" + s.legacy,
	}
	p := start(t, args...)
	eventually(t, "it has begun", func() bool { return strings.Contains(p.stderr.String(), " of 40 requests") })
	p.signal(t, syscall.SIGINT)
	p.exit(t, 1)
	contains(t, "stderr", p.stderr.String(), "stopped before the end", "hint: run the same command again")
	p = finish(t, 3, args...)
	contains(t, "stdout", p.stdout.String(), "certificate: ", "40 acknowledged shadow starts: 40 complete, 0 listed", "40 of 299 comparisons")
	contains(t, "again", finish(t, 3, append(args, "-json")...).stdout.String(), `"compared":40`)
	s.ask(t, 404, "GET", "/v1/documents/backlog-0", "")
}
