package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sluice/cmd/internal/console"
)

// idle runs this test binary, which then does nothing and ends with 0.
func idle(name string, out io.Writer) *process {
	return newProcess(name, os.Args[0], console.New(out), "-test.run=^$")
}

// A program that dies is started again, until it is stopped.
func TestProcessIsStartedAgain(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p, deaths := idle("idle", &out), make(chan error, 10)
	p.onDeath = func(err error) { deaths <- err }
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case err := <-deaths:
			if err.Error() != "idle ended: exit status 0" {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("the program is not started again")
		}
	}
	p.stop(t.Context())
	if text := out.String(); !strings.Contains(text, "idle     | PASS\n") { // stop has waited for whoever writes
		t.Errorf("the console shows %q", text)
	}
}

// A stop that came between a death and the new start found nobody to signal, and
// then waited for a program that nobody had told to end.
func TestNothingIsStartedAfterStop(t *testing.T) {
	t.Parallel()
	p, dead := idle("idle", io.Discard), make(chan struct{}, 10)
	p.onDeath = func(error) { dead <- struct{}{} }
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	<-dead
	p.stop(t.Context())
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := p.launch(cmd); !errors.Is(err, errStopping) || cmd.Process != nil {
		t.Errorf("a stopped process was started: %v", err)
	}
}

// What cannot be started at all is an error of start, and leaves nothing to wait
// for.
func TestAbsentProgramIsAnError(t *testing.T) {
	t.Parallel()
	p := newProcess("absent", t.TempDir()+"/absent", console.New(io.Discard))
	if err := p.start(); err == nil || !strings.Contains(err.Error(), "absent cannot be started") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if p.stop(ctx); ctx.Err() != nil {
		t.Error("it is waited for")
	}
}
