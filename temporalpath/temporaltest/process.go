package temporaltest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// startLimit bounds the time to readiness: half a second on an idle machine.
const startLimit = 90 * time.Second

// process is a devstack child from its start to its end.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer // the child exits when it is closed
	stderr *tail
	done   chan struct{} // closed when the child has been waited for
	exit   error         // how it ended, nil for status 0; read after done
}

// launch returns a devstack that has announced that it is ready.
func launch(binary string, args []string) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), stderr: &tail{limit: 64 << 10}, done: make(chan struct{})}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, childStdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	p.cmd.Stdout, p.cmd.Stderr = childStdout, p.stderr
	dieWithParent(p.cmd)
	started := make(chan error, 1)
	go p.superviseOnOneThread(started)
	err = <-started
	_ = childStdout.Close() // the child has its own
	if err != nil {
		return nil, fmt.Errorf("starting devstack: %w", err)
	}
	if err := awaitAnnouncement(stdout); err != nil {
		p.kill()
		return nil, fmt.Errorf("devstack is not ready: %w: %s\n%s", err, p.cmd.ProcessState, p.log())
	}
	return p, nil
}

// superviseOnOneThread starts the child and waits for it on a thread of its
// own: the kernel ties "die with the parent" to the thread that forked.
func (p *process) superviseOnOneThread(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.exit = p.cmd.Wait()
		close(p.done)
	}
}

// awaitAnnouncement reads the one line that a ready devstack prints.
func awaitAnnouncement(stdout *os.File) error {
	if err := stdout.SetReadDeadline(time.Now().Add(startLimit)); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return errors.New("it ended first")
	}
	if err != nil {
		return err
	}
	var announced struct{ Frontend string }
	if err := json.Unmarshal(line, &announced); err != nil || announced.Frontend == "" {
		return fmt.Errorf("it printed %q instead of its addresses", line)
	}
	return nil
}

// signal reaches the child or finds it gone, which waitFor tells.
func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill returns when the child is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// waitFor says whether the child has ended within limit.
func (p *process) waitFor(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	default:
	}
	if limit <= 0 {
		return false
	}
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}

// waitFrozen returns when every thread is stopped, as far as /proc tells.
func (p *process) waitFrozen() {
	tasks := fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid)
	for !p.waitFor(0) {
		threads, err := os.ReadDir(tasks)
		if err != nil {
			return // no /proc here, or the child is gone
		}
		moving := false
		for _, thread := range threads {
			stat, err := os.ReadFile(tasks + "/" + thread.Name() + "/stat")
			_, state, _ := strings.Cut(string(stat), ") ")
			moving = moving || err == nil && !strings.HasPrefix(state, "T")
		}
		if !moving {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (p *process) log() string {
	if text := p.stderr.String(); text != "" {
		return text
	}
	return "(devstack logged nothing)"
}
