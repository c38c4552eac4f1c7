package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// claimStdout returns the process's stdout and points descriptor 1 at stderr,
// because libraries of the server and the UI print to stdout as they please.
func claimStdout() (*os.File, error) {
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("stdout must be open, the addresses are announced there: %w", err)
	}
	if err := unix.Dup2(2, 1); err != nil {
		return nil, fmt.Errorf("pointing descriptor 1 at stderr: %w", err)
	}
	return os.NewFile(uintptr(fd), "stdout"), nil
}

// untilStdinCloses returns a context that also ends with stdin: the kernel
// closes the starter's end however the starter dies, so no orphan is left.
func untilStdinCloses(ctx context.Context) (context.Context, error) {
	info, err := os.Stdin.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil, errors.New("-exit-on-stdin-close needs a pipe on stdin, held open by the starter")
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, os.Stdin) // any error is an end as good as EOF
	}()
	return ctx, nil
}
