package main

import (
	"net"
	"strings"
	"testing"
)

// What -check prints is the whole configuration in effect: read again, it is
// the same. Passwords are not in it.
func TestCheckPrintsWhatLoadsToTheSame(t *testing.T) {
	t.Parallel()
	first := finish(t, 0, "gateway", "-check", "-config", shipped(t, "gateway.yaml"), "-set", "rollout.flags.file="+shipped(t, "flags.json"),
		"-set", "requests.max_body=1536KiB", "-set", "drain.lame_duck=0s",
		"-set", "worker.stores.cache=redis://user:hunter2@cache:6379/0",
		"-set", "worker.shadow_stores.cache=postgres://user:hunter3@db/shadow").stdout.String()
	contains(t, "the effective configuration", first, "max_body: 1536KiB", "lame_duck: 0s", "@cache:6379/0", "@db/shadow")
	for _, password := range []string{"hunter2", "hunter3"} {
		if strings.Contains(first, password) {
			t.Errorf("the password %s is printed", password)
		}
	}
	for _, command := range []string{"gateway", "worker"} {
		if again := finish(t, 0, command, "-check", "-config", write(t, "gateway.yaml", first)).stdout.String(); again != first {
			t.Errorf("sluice %s: read again it is\n%s\nnot\n%s", command, again, first)
		}
	}
}

// All mistakes are named at once, each with its line, its key and what would be
// right.
func TestMistakesAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	file := write(t, "broken.yaml", `legacy:
  url: nowhere
temporal:
  start_timeout: 5
log:
  level: loud
`)
	for _, command := range [][]string{{"gateway"}, {"worker"}, {"demo", "up"}} {
		p := finish(t, 1, append(command, "-config", file)...)
		contains(t, "stderr", p.stderr.String(), "broken.yaml has 3 problems:",
			`line 2: legacy.url: "nowhere" is not a URL such as http://legacy:9000`,
			`line 4: temporal.start_timeout: "5" is not a duration: write a number and its unit`,
			`line 6: log.level: "loud" is not one of debug, info, warn, error`,
			"hint: configs/gateway.yaml explains every key")
	}
}

// Nobody opens a route to everyone by leaving a line out.
func TestRouteWithoutAuthIsRefused(t *testing.T) {
	t.Parallel()
	file := write(t, "open.yaml", `routes:
  - name: documents
    pattern: /v1/documents
    doc_id: body:/doc_id
    workflow: {type: IngestionWorkflow, task_queue: ingestion}
`)
	p := finish(t, 1, "gateway", "-config", file)
	contains(t, "stderr", p.stderr.String(), "line 2: routes[0].auth: say how a document that goes to Temporal is authorised", "check", "none")
}

func TestUnknownKeyIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	p := finish(t, 1, "gateway", "-config", write(t, "typo.yaml", "log:\n  level: info\n  acess: true\n"))
	contains(t, "stderr", p.stderr.String(), "line 3: log.acess: there is no such key")
	p = finish(t, 1, "gateway", "-check", "-config", shipped(t, "gateway.yaml"), "-set", "log.acess=true")
	contains(t, "stderr", p.stderr.String(), "log.acess: there is no such key (given as a setting)")
}

// What only a guardrail's test knows to be wrong is found before anything starts.
func TestWrongGuardrailsAreNamed(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"gateway"}, {"gateway", "-check"}} {
		p := finish(t, 1, append(command, "-config", write(t, "blunt.yaml", "guardrails:\n  limits:\n    mismatch: {alpha: 0}\n"))...)
		contains(t, "stderr", p.stderr.String(), "guardrails.limits.mismatch: alpha is 0: set it above 0", "hint: configs/gateway.yaml")
	}
}

// Each port that is taken is named with the setting that moves it.
func TestTakenPortIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	address := taken.Addr().String()
	base := []string{"-config", shipped(t, "gateway.yaml"), "-set", "listen.public=127.0.0.1:0", "-set", "listen.operator=127.0.0.1:0"}
	for name, test := range map[string]struct {
		args []string
		hint string
	}{
		"public":   {append(append([]string{"gateway"}, base...), "-set", "listen.public="+address), "-set listen.public=host:port"},
		"operator": {append(append([]string{"gateway"}, base...), "-set", "listen.operator="+address), "-set listen.operator=host:port"},
		"worker":   {append(append([]string{"worker"}, base...), "-set", "worker.listen="+address), "-set worker.listen=host:port"},
		"legacy":   {[]string{"demo", "legacy", "-listen", address}, "-listen host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := finish(t, 1, test.args...)
			contains(t, "stderr", p.stderr.String(), "cannot listen on "+address, "\nhint: ", test.hint)
		})
	}
}
