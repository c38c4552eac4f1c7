package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
)

// outlive keeps a process serving, to its end, that loses its terminal or the reader of
// its output. Without it SIGPIPE, which comes of a write to standard output or error
// that nobody reads any more, and SIGHUP end it at once, with all that is under way;
// and service managers take that for a clean end.
func outlive(log *zap.Logger) {
	endurePipes()
	if signal.Ignored(syscall.SIGHUP) {
		return // nohup
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			log.Info("SIGHUP does nothing: SIGTERM stops this process, and a configuration is read at the start only")
		}
	}()
}

// endurePipes makes a write that nobody reads fail, and no more than that. The signal is
// taken rather than ignored, for children inherit what is ignored.
func endurePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// lossy is an output that loses what nobody takes.
type lossy interface {
	// Dropped returns how many lines it lost.
	Dropped() uint64
}

// droppedBy returns how many lines of its log a process has lost, nil if it loses none.
func droppedBy(stderr io.Writer) func() uint64 {
	if buffer, may := stderr.(lossy); may {
		return buffer.Dropped
	}
	return nil
}
