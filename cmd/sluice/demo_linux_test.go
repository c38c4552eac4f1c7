package main

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// One stack through a day: documents move to Temporal by the flag file, the
// worker and the gateway are killed and come back, Ctrl-C ends it all.
func TestDemoUp(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.up(t)
	for _, address := range s.addresses() {
		contains(t, "the banner", s.stdout.String(), address)
	}
	s.moves(t)
	s.survivesWorker(t)
	s.survivesGateway(t)

	all := s.children(t)
	s.signal(t, syscall.SIGINT)
	s.exit(t, 0)
	for _, c := range all {
		if c.runs() {
			t.Errorf("%s outlived the clean stop", c.command)
		}
	}
	s.allGone(t, all)
}

// onlyVersion is all that there is of a document that legacy serves at 10 %.
const onlyVersion = `{"doc_id":"doc-7","text":"Babbage"}`

// moves: the same document is served by legacy at 10 % and by Temporal at 100 %,
// with an equal answer and for the same clients.
func (s *stack) moves(t *testing.T) {
	t.Helper()
	before := s.ask(t, http.StatusOK, "POST", "/v1/documents", legacyDocument)
	if before.header.Get("Rollout-Path") != "legacy" || before.header.Get("Rollout-Reason") != "split" {
		t.Errorf("at 10 %%: %+v", before)
	}
	s.ask(t, http.StatusOK, "POST", "/v1/documents", onlyVersion)
	turn(t, s.flags, "full")
	after := s.full(t)
	if after.body != before.body {
		t.Errorf("Temporal answers %s, legacy %s", after.body, before.body)
	}
	if got := s.ask(t, http.StatusOK, "GET", "/v1/documents/doc-123", ""); got.body != legacyDocument {
		t.Errorf("read back: %s", got.body)
	}
	s.ask(t, http.StatusOK, "POST", "/v1/documents", `{"doc_id":"only-temporal","text":"Grace Hopper"}`)
	contains(t, "legacy's copy", s.ask(t, http.StatusOK, "GET", "/v1/documents/only-temporal", "").body, "Grace Hopper")

	stranger, err := try("POST", "http://"+s.public+"/v1/documents", legacyDocument+"\t")
	if err != nil || stranger.status != http.StatusUnauthorized || stranger.header.Get("Rollout-Path") != "temporal" {
		t.Errorf("a stranger's document for Temporal: %+v, %v", stranger, err)
	}
}

// survivesWorker: a worker dies with a document in hand, the next one finishes
// it.
func (s *stack) survivesWorker(t *testing.T) {
	t.Helper()
	s.slow(t)
	location := s.postAsync(t, "doc-worker")
	eventually(t, "a document that takes ten minutes is running", func() bool { return s.state(t, location) == "running" })
	old := s.part(t, "worker")
	old.kill(t)
	s.completes(t, location)
	if again := s.part(t, "worker"); again.pid == old.pid && again.began == old.began {
		t.Error("the worker was not killed")
	}
	contains(t, "the demonstration", s.stdout.String(), "worker ended: signal: killed")
	s.ask(t, http.StatusOK, "GET", "/v1/documents/doc-worker", "")
}

// survivesGateway: a gateway that dies is started again with the same policy and
// the same claims: what legacy took at 10 % is still legacy's to repeat.
func (s *stack) survivesGateway(t *testing.T) {
	t.Helper()
	s.part(t, "gateway").kill(t)
	served(t, "http://"+s.operator+"/readyz")
	for body, path := range map[string]string{onlyVersion: "legacy", legacyDocument + "\n": "temporal"} {
		r := s.ask(t, http.StatusOK, "POST", "/v1/documents", body)
		if r.header.Get("Rollout-Path") != path {
			t.Errorf("after the gateway's death %q went to %s, want %s", body, r.header.Get("Rollout-Path"), path)
		}
	}
}

// On the same data a second stack has the first one's documents, and goes on
// with what was running. When the second is killed outright, the kernel ends
// its programs.
func TestDemoUpAgain(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	turn(t, s.flags, "full")
	s.up(t)
	s.full(t)
	s.slow(t)
	location := s.postAsync(t, "doc-running")
	eventually(t, "a document that takes ten minutes is running", func() bool { return s.state(t, location) == "running" })
	s.signal(t, syscall.SIGINT)
	s.exit(t, 0)

	s.up(t)
	if got := s.ask(t, http.StatusOK, "GET", "/v1/documents/doc-123", ""); got.body != legacyDocument {
		t.Errorf("read back: %s", got.body)
	}
	s.completes(t, location)
	s.ask(t, http.StatusOK, "GET", "/v1/documents/doc-running", "")

	all := s.children(t)
	s.signal(t, syscall.SIGKILL)
	<-s.done
	s.allGone(t, all)
}

// Every port that is taken, or wanted twice, is named with what moves it, before
// anything is begun.
func TestDemoUpNamesTakenPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	address := taken.Addr().String()
	for name, test := range map[string]struct {
		change func(s *stack)
		want   []string
	}{
		"public": {func(s *stack) { s.public = address }, []string{"the gateway's public door", "listen.public="}},
		"two": {func(s *stack) { s.operator, s.ui = address, address },
			[]string{"the gateway's operator listener", "listen.operator=", "Temporal's web UI", "-ui "}},
		"legacy":   {func(s *stack) { s.legacy = address }, []string{"the legacy service", "legacy.url="}},
		"worker":   {func(s *stack) { s.worker = address }, []string{"the worker's metrics", "worker.listen="}},
		"Temporal": {func(s *stack) { s.server = address }, []string{"Temporal cannot", "temporal.address="}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			test.change(s)
			s.refused(t, append(test.want, "cannot listen on "+address, "hint: "))
		})
	}
	t.Run("wanted twice", func(t *testing.T) {
		t.Parallel()
		s := newStack(t)
		s.worker = s.public
		s.refused(t, []string{"the worker's metrics cannot listen on " + s.public, "worker.listen="})
	})
	t.Run("any port", func(t *testing.T) {
		t.Parallel()
		s := newStack(t)
		s.worker = "127.0.0.1:0"
		s.refused(t, []string{"the worker's metrics cannot listen on 127.0.0.1:0: it must be known", "worker.listen="})
	})
}

// refused checks that demo up says why it does not start, and begins nothing.
func (s *stack) refused(t *testing.T, want []string) {
	t.Helper()
	p := finish(t, 1, s.args(t)...)
	contains(t, "stderr", p.stderr.String(), want...)
	if _, err := os.Stat(s.data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory was made: %v", err)
	}
	if strings.Contains(p.stdout.String(), "|") {
		t.Errorf("a program was started:\n%s", p.stdout.String())
	}
}
