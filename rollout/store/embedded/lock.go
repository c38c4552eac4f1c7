package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	lockFile = "lock"
	// askAgain is how often a waiting gateway asks for the lock.
	askAgain = 5 * time.Millisecond
)

// lockDir waits until the directory is this process's, or ctx ends. The lock ends
// with the returned file, or with the process, however it ends.
func lockDir(ctx context.Context, dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock of the claims: %w", err)
	}
	if err := await(ctx, file); err != nil {
		holder := "another process"
		if pid, readErr := io.ReadAll(file); readErr == nil && len(pid) > 0 {
			holder = "process " + strings.TrimSpace(string(pid))
		}
		err = fmt.Errorf("the claims in %s are locked by %s, which did not end in time: %w", dir, holder, err)
		return nil, errors.Join(err, file.Close())
	}
	// For the operator only, so errors do not matter.
	_ = file.Truncate(0)
	_, _ = fmt.Fprintln(file, os.Getpid())
	return file, nil
}

// await asks for the lock again and again: a call that waits for it in the kernel
// could not be given up.
func await(ctx context.Context, file *os.File) error {
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again.C:
		}
	}
}
