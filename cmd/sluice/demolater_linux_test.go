package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/temporalpath/temporaltest"
)

// later makes the stack one whose Temporal server has to be built first: a program
// that becomes the real one. The build waits until release is called.
func (s *stack) later(t *testing.T) (release func()) {
	t.Helper()
	source := fmt.Sprintf(`package main

import (
	"os"
	"syscall"
)

func main() { panic(syscall.Exec(%q, os.Args, os.Environ())) }
`, temporaltest.Binary(t))
	s.build, s.devstack = filepath.Dir(write(t, "main.go", source)), filepath.Join(t.TempDir(), "devstack")
	if err := os.WriteFile(filepath.Join(s.build, "go.mod"), []byte("module devstack\n\ngo 1.26\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(s.devstack + ".lock")
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	release = func() { _ = lock.Close() }
	t.Cleanup(release)
	return release
}

// fallsBack posts a document that is for Temporal, which is not there: legacy
// answers.
func (s *stack) fallsBack(t *testing.T, text string) {
	t.Helper()
	r := s.ask(t, http.StatusOK, "POST", "/v1/documents", `{"doc_id":"doc-24","text":"`+text+`"}`)
	if r.header.Get("Rollout-Path") != "legacy" || r.header.Get("Rollout-Reason") != "fallback" {
		t.Errorf("without Temporal: %+v", r)
	}
}

// Legacy is served while Temporal's server is still built. When that is done worker
// and gateway join it by themselves.
func TestDemoUpBeforeItsTemporalIsBuilt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	release := s.later(t)
	s.up(t)
	contains(t, "the banner", s.stdout.String(), "without Temporal so far", "as soon as its server is built")
	s.fallsBack(t, "before")
	s.says(t, "Temporal's server: waiting for another build of it")
	release()
	s.says(t, "Temporal has joined at "+s.server)
	turn(t, s.flags, "full")
	s.full(t)

	all := s.children(t)
	s.signal(t, syscall.SIGINT)
	s.exit(t, 0)
	s.allGone(t, all)
}

// A server that cannot be built ends nothing, and it is said why.
func TestDemoUpWhoseTemporalCannotBeBuilt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.later(t)()
	if err := os.WriteFile(filepath.Join(s.build, "wrong.go"), []byte("package main\n\nvar x int = nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.up(t)
	s.says(t, "hint: mend what stands above")
	contains(t, "the console", s.stdout.String(), "build    | ./wrong.go:3", "there will be no Temporal")
	s.fallsBack(t, "after")
	s.stopsWith(t, 3)
}

// Ctrl-C ends the build with all else.
func TestDemoUpIsStoppedWhileItBuilds(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.later(t)
	s.up(t)
	s.fallsBack(t, "meanwhile")
	s.stopsWith(t, 3)
}

// A Temporal server that runs already is used as it is, and outlives the
// demonstration.
func TestDemoUpWithATemporalThatRuns(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	s := newStack(t)
	s.temporal = server.Frontend
	s.up(t)
	s.says(t, "Temporal has joined at "+server.Frontend)
	if strings.Contains(s.stdout.String(), s.ui) {
		t.Error("the banner names a web UI that does not run")
	}
	turn(t, s.flags, "full")
	s.full(t)
	s.stopsWith(t, 3)

	refused := newStack(t)
	refused.temporal = "nowhere"
	refused.refused(t, []string{`the Temporal server "nowhere"`, "hint: give host:port"})
}

// buildPatience bounds the wait for a compiler that goes behind everything else on a
// busy machine.
const buildPatience = 10 * time.Minute

// says waits until the demonstration says something that may come after a build.
func (s *stack) says(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(buildPatience); !strings.Contains(s.stdout.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the demonstration does not say %q", text)
		}
	}
}

// stopsWith stops a stack of so many programs, of which none is left.
func (s *stack) stopsWith(t *testing.T, programs int) {
	t.Helper()
	all := s.children(t)
	if len(all) != programs {
		t.Errorf("%d programs run, want %d: %v", len(all), programs, all)
	}
	s.signal(t, syscall.SIGINT)
	s.exit(t, 0)
	for _, c := range all {
		if c.runs() {
			t.Errorf("%s outlived the clean stop", c.command)
		}
	}
}
