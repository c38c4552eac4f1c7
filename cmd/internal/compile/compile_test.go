package compile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program makes a module with a program that prints text, of two packages. Nobody
// compiled it before.
func program(t *testing.T, text string) (directory string) {
	t.Helper()
	directory = t.TempDir()
	for name, source := range map[string]string{
		"go.mod":        "module example\n\ngo 1.26\n",
		"main.go":       "package main\n\nimport \"example/words\"\n\nfunc main() { println(words.Text) }\n",
		"words/text.go": fmt.Sprintf("package words\n\nconst Text = %q // %d\n", text, time.Now().UnixNano()),
	} {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// A program is built, with words on the way, and is dated by the start of its
// build.
func TestProgramIsBuilt(t *testing.T) {
	t.Parallel()
	directory, output := program(t, "hello"), filepath.Join(t.TempDir(), "bin", "hello")
	var told []string
	began := time.Now()
	err := Build(t.Context(), Config{Directory: directory, Package: ".", Output: output, Aside: true, Progress: func(text string) { told = append(told, text) }})
	if err != nil {
		t.Fatal(err)
	}
	ended := time.Now()
	if said, err := exec.Command(output).CombinedOutput(); err != nil || string(said) != "hello\n" {
		t.Errorf("it says %q, %v", said, err)
	}
	if info, err := os.Stat(output); err != nil || info.ModTime().Before(began.Add(-time.Second)) || !info.ModTime().Before(ended) {
		t.Errorf("dated %v, %v; the build ran from %v to %v", info.ModTime(), err, began, ended)
	}
	all := strings.Join(told, "\n")
	if !strings.HasPrefix(all, "looking what is to be compiled\n") || !strings.Contains(all, " packages") || !strings.Contains(all, "then linking") {
		t.Errorf("it was told:\n%s", all)
	}
	if left, err := filepath.Glob(output + ".new"); err != nil || left != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What the compiler says is the error, and what was there before stays.
func TestFailureSaysWhatTheCompilerSaid(t *testing.T) {
	t.Parallel()
	directory, output := program(t, "hello"), filepath.Join(t.TempDir(), "hello")
	if err := os.WriteFile(output, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "wrong.go"), []byte("package main\n\nvar x int = nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Build(t.Context(), Config{Directory: directory, Package: ".", Output: output})
	if err == nil || !strings.Contains(err.Error(), "wrong.go:3") || !strings.Contains(err.Error(), "hello cannot be built") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(output); err != nil || string(text) != "old" {
		t.Errorf("the old program is %q, %v", text, err)
	}
}

// A build that is stopped takes the compilers with it, which are not its own
// children.
func TestStoppedBuildLeavesNoProcess(t *testing.T) {
	scratch := t.TempDir()
	pids, compiler := filepath.Join(scratch, "pid"), filepath.Join(scratch, "compiler")
	// It keeps to itself what should end it politely.
	script := "#!/bin/sh\ntrap '' INT TERM\necho $$ >" + pids + ".new\nmv " + pids + ".new " + pids + "\nwhile :; do sleep 1; done\n"
	if err := os.WriteFile(compiler, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-toolexec="+compiler)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Build(ctx, Config{Directory: program(t, "hello"), Package: ".", Output: filepath.Join(scratch, "hello")})
	}()
	pid := 0
	for end := time.Now().Add(time.Minute); pid == 0; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(pids) // absent until the compiler runs
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		if time.Now().After(end) {
			t.Fatal("no compiler was started")
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for end := time.Now().Add(time.Minute); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the compiler runs on")
		}
	}
}

// Two builds of one program run one after the other.
func TestAnotherBuildIsWaitedFor(t *testing.T) {
	t.Parallel()
	output := filepath.Join(t.TempDir(), "hello")
	unlock, err := lock(t.Context(), output+".lock", nil)
	if err != nil {
		t.Fatal(err)
	}
	waits, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- Build(t.Context(), Config{Directory: program(t, "hello"), Package: ".", Output: output, Progress: func(text string) { waits <- text }})
	}()
	if text := <-waits; text != "waiting for another build of it" {
		t.Errorf("told %q", text)
	}
	unlock()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
