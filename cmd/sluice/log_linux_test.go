package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A demonstration whose output nobody reads serves on: none of its programs waits for
// the terminal. When that is gone, all of it stops, as with Ctrl-C.
func TestDemoWhoseOutputNobodyReads(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	output, into, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = output.Close() })
	s.program = startWith(t, func(cmd *exec.Cmd) { cmd.Stdout = into }, s.args(t)...)
	_ = into.Close() // the program has its own
	for lines := bufio.NewScanner(output); !strings.Contains(lines.Text(), "Ctrl-C stops all of it"); {
		if !lines.Scan() {
			t.Fatalf("it is not ready: %v", lines.Err())
		}
	}
	for range 400 { // some 300 KiB of log, and a pipe holds 64
		s.ask(t, http.StatusNotFound, "GET", "/"+strings.Repeat("x", 600), "")
	}
	all := s.children(t)
	s.signal(t, syscall.SIGHUP)
	s.exit(t, 0)
	s.allGone(t, all)
}
