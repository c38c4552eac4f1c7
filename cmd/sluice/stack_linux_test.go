package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"sluice/temporalpath/temporaltest"
)

// stack is `sluice demo up`, of which all addresses are ours.
type stack struct {
	data, flags                                  string
	public, operator, legacy, worker, server, ui string // host:port
	token                                        string
	devstack, build, temporal                    string // as demo up's flags of these names

	*program
}

// newStack chooses the addresses and runs nothing.
func newStack(t *testing.T) *stack {
	t.Helper()
	return &stack{
		data: filepath.Join(t.TempDir(), "data"), flags: flagFile(t), token: "secret",
		public: freeAddress(t), operator: freeAddress(t), legacy: freeAddress(t),
		worker: freeAddress(t), server: freeAddress(t), ui: freeAddress(t),
		devstack: temporaltest.Binary(t),
	}
}

// addresses are all that the stack listens on.
func (s *stack) addresses() []string {
	return []string{s.public, s.operator, s.legacy, s.worker, s.server, s.ui}
}

// args are those of demo up; more settings come last and win.
func (s *stack) args(t *testing.T, settings ...string) []string {
	t.Helper()
	args := []string{
		"demo", "up", "-config", shipped(t, "gateway.yaml"), "-data", s.data, "-ui", s.ui,
		"-legacy-token", s.token, "-devstack", s.devstack, "-build", s.build, "-temporal", s.temporal,
	}
	for _, setting := range append([]string{
		"rollout.flags.file=" + s.flags, "temporal.address=" + s.server, "worker.listen=" + s.worker,
		"listen.public=" + s.public, "listen.operator=" + s.operator, "legacy.url=http://" + s.legacy,
	}, settings...) {
		args = append(args, "-set", setting)
	}
	return args
}

// up starts the stack and waits until it says that it is ready.
func (s *stack) up(t *testing.T) {
	t.Helper()
	s.program = start(t, s.args(t)...)
	eventually(t, "the demonstration is ready", func() bool {
		select {
		case <-s.done:
			t.Fatal("the demonstration ended")
		default:
		}
		return strings.Contains(s.stdout.String(), "Ctrl-C stops all of it")
	})
}

// ask sends a request to the gateway, with the token.
func (s *stack) ask(t *testing.T, want int, method, path, body string, fields ...string) reply {
	t.Helper()
	return ask(t, want, method, "http://"+s.public+path, body, append(fields, "Authorization", "Bearer "+s.token)...)
}

// slow makes the worker take its time over each document: the delay is in its
// memory only, so that one that is started again is fast.
func (s *stack) slow(t *testing.T) {
	t.Helper()
	ask(t, 200, "PUT", "http://"+s.worker+"/faults", `{"latency":"10m"}`)
}

// postAsync posts a document for Temporal without waiting for its result, and
// returns the path of its status resource.
func (s *stack) postAsync(t *testing.T, docID string) (location string) {
	t.Helper()
	r := s.ask(t, 202, "POST", "/v1/documents", fmt.Sprintf(`{"doc_id":%q,"text":"Grace Hopper"}`, docID), "Prefer", "respond-async")
	if r.header.Get("Rollout-Path") != "temporal" || r.header.Get("Location") == "" {
		t.Fatalf("%s was answered %+v", docID, r)
	}
	return r.header.Get("Location")
}

// full waits until the flag file's 100 % is in force, and returns Temporal's
// answer for legacyDocument. Each try is another request for the same document: a
// retry would go where it went before.
func (s *stack) full(t *testing.T) (r reply) {
	t.Helper()
	body := legacyDocument
	eventually(t, "the flag file's 100 % is in force", func() bool {
		body += " "
		r = s.ask(t, 200, "POST", "/v1/documents", body)
		return r.header.Get("Rollout-Path") == "temporal"
	})
	return r
}

// state asks a status resource; empty if it cannot be told now.
func (s *stack) state(t *testing.T, location string) string {
	t.Helper()
	r, err := try("GET", "http://"+s.public+location, "")
	if err != nil {
		t.Fatal(err)
	}
	switch r.status {
	case 200:
		state, _ := object(t, r.body)["status"].(string)
		return state
	case 503:
		return ""
	}
	t.Fatalf("%s: %+v", location, r)
	return ""
}

// completes waits until the status resource says so.
func (s *stack) completes(t *testing.T, location string) {
	t.Helper()
	eventually(t, location+" is completed", func() bool {
		switch state := s.state(t, location); state {
		case "completed":
			return true
		case "running", "":
		default:
			t.Fatalf("the document is %s", state)
		}
		return false
	})
}

// child is a process of the stack, as /proc has it. A process ID may be given
// out again; the time it began sets two apart.
type child struct {
	pid     int
	began   string
	command string
}

// children lists the stack's processes that run.
func (s *stack) children(t *testing.T) []child {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []child
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if fields := statOf(pid); len(fields) > 19 && fields[1] == strconv.Itoa(s.cmd.Process.Pid) && fields[0] != "Z" {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // empty if it has ended meanwhile
			found = append(found, child{pid, fields[19], strings.ReplaceAll(string(command), "\x00", " ")})
		}
	}
	return found
}

// statOf returns the fields of a process's stat file from the state on, nil if
// there is no such process.
func statOf(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
}

// runs reports whether the process still runs; one that is dead and was not
// waited for does not.
func (c child) runs() bool {
	fields := statOf(c.pid)
	return len(fields) > 19 && fields[19] == c.began && fields[0] != "Z" && fields[0] != "X"
}

// part returns the stack's process that was started with the arguments.
func (s *stack) part(t *testing.T, args string) (found child) {
	t.Helper()
	eventually(t, "sluice "+args+" runs", func() bool {
		all := s.children(t)
		i := slices.IndexFunc(all, func(c child) bool { return strings.Contains(c.command, " "+args+" -") })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0
	})
	return found
}

// kill ends a process of the stack as a crash does.
func (c child) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the killed process is gone", func() bool { return !c.runs() })
}

// allGone checks that no process of those is left and that every port is free.
func (s *stack) allGone(t *testing.T, all []child) {
	t.Helper()
	if len(all) != 4 {
		t.Errorf("%d processes were running instead of 4: %v", len(all), all)
	}
	for _, c := range all {
		eventually(t, fmt.Sprintf("%d (%s) has ended", c.pid, c.command), func() bool { return !c.runs() })
	}
	// A killed process counts as dead a moment before its last thread lets go of
	// its ports.
	for _, address := range s.addresses() {
		eventually(t, address+" is free", func() bool {
			listener, err := net.Listen("tcp", address)
			return err == nil && listener.Close() == nil
		})
	}
}
