// Package temporaltest runs a real Temporal server for Go tests: the devstack
// binary of this repository, as a child process that a test may stop, kill,
// freeze and start again.
//
// Invariants:
//   - A Server keeps its addresses from Start to the end of the test, across
//     restarts; while it is down nobody else gets them (Linux), so clients are
//     refused and never reach a stranger.
//   - A child never outlives its starter: the test's cleanup kills it, and if
//     the test process dies the kernel does (Linux), or the closed stdin.
//   - Servers share nothing; tests and packages may run them in parallel.
//
// The binary is bin/devstack at the module root, built when it is missing or
// older than its sources (minutes the first time), or the one that
// SLUICE_DEVSTACK names.
package temporaltest

import (
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopLimit bounds a clean stop, normally 1 to 3 s; beyond it the child is
// killed and the test fails.
const stopLimit = 20 * time.Second

// Server is one Temporal server. Its methods may be called from any goroutine
// until the test that started it ends.
type Server struct {
	Frontend string // host:port for clients; the namespace is "default"
	UI       string // URL of the web UI; empty without WithUI

	t      testing.TB
	binary string
	args   []string

	mu    sync.Mutex
	child *process // guarded by mu; nil while the server is down
}

// Start returns a server that is ready for clients, or fails the test. It is
// killed when the test ends; its log is shown if the test failed.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	cfg := settings{}
	for _, opt := range opts {
		opt(&cfg)
	}
	s := &Server{t: t, binary: Binary(t), Frontend: holdPort(t)}
	s.args = []string{"-exit-on-stdin-close", "-frontend", s.Frontend, "-db", cfg.file, "-ui", ""}
	if cfg.ui {
		address := holdPort(t)
		s.args[len(s.args)-1] = address
		s.UI = "http://" + address
	}
	t.Cleanup(s.cleanUp)
	s.Restart(t)
	return s
}

// Restart starts the server again with the same addresses and the same file,
// after a clean stop if it still runs. Without WithFile it comes back empty.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	child, err := launch(s.binary, s.args)
	if err != nil {
		t.Fatal(err)
	}
	s.child = child
}

// Stop ends the server cleanly: open calls are answered or refused within a
// few seconds. Stopping a server that is down does nothing.
func (s *Server) Stop() {
	s.t.Helper()
	child := s.take()
	if child == nil || s.reportDeath(child) {
		return
	}
	child.signal(syscall.SIGTERM)
	child.signal(syscall.SIGCONT) // a frozen process takes no other signal
	if !child.waitFor(stopLimit) {
		child.kill()
		s.t.Errorf("devstack did not stop within %s of SIGTERM and was killed\n%s", stopLimit, child.log())
		return
	}
	if child.exit != nil {
		s.t.Errorf("devstack did not stop cleanly: %v\n%s", child.exit, child.log())
	}
}

// Kill ends the server as a crash does, at once. Killing a server that is down
// does nothing.
func (s *Server) Kill() {
	s.t.Helper()
	if child := s.take(); child != nil && !s.reportDeath(child) {
		child.kill()
	}
}

// Freeze stops every thread of the server: connections stay open and nothing
// answers. It returns when all of them stand still.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil {
		s.child.signal(syscall.SIGSTOP)
		s.child.waitFrozen()
	}
}

// Thaw lets a frozen server go on.
func (s *Server) Thaw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil {
		s.child.signal(syscall.SIGCONT)
	}
}

// take makes the caller the only one to end the child, if there is one.
func (s *Server) take() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	child := s.child
	s.child = nil
	return child
}

// reportDeath fails the test if the child has ended by itself.
func (s *Server) reportDeath(child *process) bool {
	s.t.Helper()
	if !child.waitFor(0) {
		return false
	}
	s.t.Errorf("devstack ended by itself: %v\n%s", child.exit, child.log())
	return true
}

func (s *Server) cleanUp() {
	child := s.take()
	if child == nil {
		return
	}
	if !s.reportDeath(child) {
		child.kill()
		if s.t.Failed() {
			s.t.Logf("log of devstack at %s:\n%s", s.Frontend, child.log())
		}
	}
}
