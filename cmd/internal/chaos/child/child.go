// Package child runs programs that are killed, frozen and started again.
//
// A child never outlives the harness: it is killed when Stop is called, and by
// the kernel (Linux) or its closed standard input when the harness dies.
package child

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config says what is run.
type Config struct {
	Name    string
	Program string
	Args    []string
	// Env is put over the harness's own environment.
	Env []string
	// LogFile gets all that the program prints, over all its lives.
	LogFile string
	// Ready returns nil once the program serves.
	Ready func(ctx context.Context) error
}

// startLimit bounds the time to readiness.
const startLimit = 60 * time.Second

// Child is one program. Its methods are for one goroutine at a time, but
// for Died.
type Child struct {
	config Config

	mu   sync.Mutex
	life *life // guarded by mu; the last one
}

// life is one process.
type life struct {
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{} // closed when the process has been waited for
	exit  error         // read after done
	meant atomic.Bool   // the harness ended it
}

// New returns a child that does not run yet.
func New(config Config) *Child { return &Child{config: config} }

// Start runs the program and waits until it is ready.
func (c *Child) Start(ctx context.Context) error {
	l, err := c.launch()
	if err != nil {
		return fmt.Errorf("%s cannot be started: %w", c.config.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if err = c.config.Ready(ctx); err == nil {
			return nil
		}
		select {
		case <-l.done:
			return fmt.Errorf("%s ended at its start: %v; see %s", c.config.Name, l.exit, c.config.LogFile)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; see %s", c.config.Name, err, c.config.LogFile)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Child) launch() (*life, error) {
	log, err := os.OpenFile(c.config.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	l := &life{cmd: exec.Command(c.config.Program, c.config.Args...), done: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), c.config.Env...)
	l.cmd.Stdout, l.cmd.Stderr = log, log
	if l.stdin, err = l.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	dieWithParent(l.cmd)
	started := make(chan error, 1)
	go l.superviseOnOneThread(started)
	if err := <-started; err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.life = l
	return l, nil
}

// superviseOnOneThread starts the process and waits for it on a thread of its
// own: the kernel ties "die with the parent" to the thread that forked.
func (l *life) superviseOnOneThread(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := l.cmd.Start()
	started <- err
	if err == nil {
		l.exit = l.cmd.Wait()
		_ = l.stdin.Close() // it is gone
		close(l.done)
	}
}

func (c *Child) current() *life {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.life
}

// Kill ends the process at once, frozen or not, and waits until it is gone.
func (c *Child) Kill() {
	if l := c.current(); l != nil {
		l.meant.Store(true)
		_ = l.cmd.Process.Kill() // it may have ended
		<-l.done
	}
}

// Terminate asks the process to end, and kills it after limit. It reports
// whether it ended by itself.
func (c *Child) Terminate(limit time.Duration) bool {
	l := c.current()
	if l == nil {
		return true
	}
	l.meant.Store(true)
	_ = l.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-l.done:
		return true
	case <-time.After(limit):
		c.Kill()
		return false
	}
}

// Freeze stops every thread of the process.
func (c *Child) Freeze() { c.signal(syscall.SIGSTOP) }

// Thaw lets it go on.
func (c *Child) Thaw() { c.signal(syscall.SIGCONT) }

func (c *Child) signal(sig syscall.Signal) {
	if l := c.current(); l != nil {
		_ = l.cmd.Process.Signal(sig) // it may have ended
	}
}

// Died returns how the process ended if the harness had no part in it.
func (c *Child) Died() error {
	l := c.current()
	if l == nil || l.meant.Load() {
		return nil
	}
	select {
	case <-l.done:
		return fmt.Errorf("%s ended by itself: %v; see %s", c.config.Name, l.exit, c.config.LogFile)
	default:
		return nil
	}
}
