package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"sluice/cmd/internal/aside"
	"sluice/cmd/internal/console"
)

// process is one program of the demonstration. It is started again when it
// dies, so that killing one shows what the others make of it.
//
//	starting --> running --dies--> waiting --> starting
//	    |           |                 |
//	    +-----------+------ stop -----+--> stopped
type process struct {
	name    string
	program string
	args    []string
	console *console.Console
	// onDeath is told whenever the program ends without having been stopped.
	onDeath func(error)

	mu       sync.Mutex
	current  *exec.Cmd // guarded by mu; nil unless it runs
	stopping chan struct{}
	stopped  chan struct{}
	once     sync.Once
}

// restartPause is the time before a program that died is started again.
const restartPause = time.Second

func newProcess(name, program string, out *console.Console, args ...string) *process {
	return &process{
		name: name, program: program, args: args, console: out,
		stopping: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// start begins to run it. An error of the very first start is returned.
func (p *process) start() error {
	first := make(chan error, 1)
	go p.supervise(first)
	return <-first
}

// supervise keeps to one thread, because the kernel ties "die with the parent"
// to the thread that forked.
func (p *process) supervise(first chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.stopped)
	for {
		cmd, stdin, err := p.spawn()
		if first != nil {
			first <- err
			if first = nil; err != nil {
				return
			}
		}
		if err == nil {
			err = cmd.Wait()
			_ = stdin.Close() // it is gone
		}
		p.ended()
		select {
		case <-p.stopping:
			return
		default:
		}
		p.onDeath(fmt.Errorf("%s ended: %s", p.name, exit(err)))
		select {
		case <-p.stopping:
			return
		case <-time.After(restartPause):
		}
	}
}

func exit(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// spawn starts the program. Its standard input is a pipe that closes when this
// process ends, however it ends.
func (p *process) spawn() (*exec.Cmd, io.Closer, error) {
	cmd := exec.Command(p.program, p.args...)
	output := p.console.Labelled(label(p.name))
	cmd.Stdout, cmd.Stderr = output, output // one writer, hence one goroutine
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	aside.Set(cmd)
	if err := p.launch(cmd); err != nil {
		return nil, nil, fmt.Errorf("%s cannot be started: %w", p.name, err)
	}
	return cmd, stdin, nil
}

// errStopping says that a program is not started any more.
var errStopping = errors.New("it is being stopped")

// launch starts cmd, unless stop was called. It holds mu meanwhile, so that
// stop's signal finds either a program that runs or none that ever will.
func (p *process) launch(cmd *exec.Cmd) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stopping:
		return errStopping
	default:
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.current = cmd
	return nil
}

func (p *process) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = nil
}

// signal reaches the program if it runs.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		_ = p.current.Process.Signal(sig) // it may have ended
	}
}

// stop ends the program cleanly, or kills it when ctx ends.
func (p *process) stop(ctx context.Context) {
	p.once.Do(func() { close(p.stopping) })
	p.signal(syscall.SIGTERM)
	select {
	case <-p.stopped:
	case <-ctx.Done():
		p.console.Line(label("demo"), fmt.Appendf(nil, "%s does not stop and is killed", p.name))
		p.signal(syscall.SIGKILL)
		<-p.stopped
	}
}
