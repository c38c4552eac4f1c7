package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asSluice makes the test binary the program: what the tests run is the real
// one, compiled as they are, race detector and all. Children inherit it.
const asSluice = "SLUICE_TEST_RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asSluice) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience bounds everything that is waited for; it is never used up unless
// something is wrong.
const patience = 90 * time.Second

// transcript is what a program wrote. It may be read while it is written to.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// program is sluice as a child process.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr transcript
	done           chan struct{} // closed when it has ended
}

// start runs sluice in a directory of its own, until the test ends at the
// latest. Its environment has no flags of the caller's.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, args...)
}

// startWith is start, after change has changed what is started.
func startWith(t *testing.T, change func(*exec.Cmd), args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(self, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = t.TempDir(), &p.stdout, &p.stderr
	p.cmd.Env = append(ownEnvironment(), asSluice+"=yes")
	dieWithParent(p.cmd)
	change(p.cmd)
	started := make(chan error, 1)
	go p.supervise(started)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(t) })
	return p
}

// ownEnvironment is the environment without Sluice's own variables.
func ownEnvironment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TEMPORAL_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// supervise keeps to one thread, to which the kernel ties "die with the parent".
func (p *program) supervise(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // ProcessState tells
		close(p.done)
	}
}

// end kills the program if it still runs, and shows what it wrote if the test
// failed. A data race in it fails the test.
func (p *program) end(t *testing.T) {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
	if strings.Contains(p.stdout.String()+p.stderr.String(), "WARNING: DATA RACE") {
		t.Error("the program has a data race")
	}
	if t.Failed() {
		t.Logf("sluice %s\nstdout:\n%s\nstderr:\n%s", strings.Join(p.cmd.Args[1:], " "), p.stdout.String(), p.stderr.String())
	}
}

func (p *program) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("%s: %v", sig, err)
	}
}

// exit waits for the program's end and checks its exit code.
func (p *program) exit(t *testing.T, want int) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("sluice %s does not end", strings.Join(p.cmd.Args[1:], " "))
	}
	if got := p.cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("sluice %s: %s, want exit status %d", strings.Join(p.cmd.Args[1:], " "), p.cmd.ProcessState, want)
	}
}

// finish runs sluice to its end and checks the exit code.
func finish(t *testing.T, want int, args ...string) *program {
	t.Helper()
	p := start(t, args...)
	p.exit(t, want)
	return p
}

// contains checks that a text has all the parts.
func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", what, part, text)
		}
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still not so: %s", what)
		}
	}
}

// shipped returns the absolute path of a file in configs.
func shipped(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "configs", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// write makes a file in a directory of its own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
