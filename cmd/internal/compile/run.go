package compile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"sluice/cmd/internal/aside"
)

// stopLimit is how long the go command may clean up after itself when it is stopped.
const stopLimit = 10 * time.Second

// run runs the go command to its end and hands over each line that it writes to
// standard error.
func (b *builder) run(ctx context.Context, stdout io.Writer, each func(line string), args ...string) error {
	if b.config.Aside {
		args = append([]string{"nice", "-n", "5"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	// Nothing of it would be found in the build cache under another CGO_ENABLED.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.Stdout = stdout
	aside.Set(cmd)
	cmd.Cancel = func() error { return aside.Signal(cmd, syscall.SIGINT) }
	cmd.WaitDelay = stopLimit
	stderr, written := io.Pipe()
	cmd.Stderr = written
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		_ = aside.Signal(cmd, syscall.SIGKILL) // who is left in its group, if it was stopped
		_ = written.Close()
		ended <- err
	}()
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		each(lines.Text())
	}
	_, _ = io.Copy(io.Discard, stderr) // after a line that is too long
	if err := <-ended; err != nil {
		return b.failure(err)
	}
	return nil
}

// lock waits for the lock on path, which the system frees if the process dies.
func lock(ctx context.Context, path string, progress func(string)) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			_ = file.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		if !told && progress != nil {
			progress("waiting for another build of it")
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
