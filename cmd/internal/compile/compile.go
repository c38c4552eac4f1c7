// Package compile builds a Go program and says how far it is: how many packages of
// how many, and about how long the rest takes.
//
// Invariants:
//   - The program appears whole or not at all, dated by the start of its build, so
//     that a source saved meanwhile counts as newer.
//   - A build that is stopped leaves no process behind. What it compiled stays in
//     Go's build cache, and the next one goes on from there.
//   - One program is built by one process at a time, others wait.
package compile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Config says what to build.
type Config struct {
	// Directory is where the module is, or a directory below its go.mod.
	Directory string
	// Package is the program's, as seen from Directory: "." or "./cmd/sluice".
	Package string
	// Output is the file to make, as seen from the working directory.
	Output string
	// LDFlags are for the linker; they may be empty.
	LDFlags string
	// Aside lets everything else on the machine go first.
	Aside bool
	// Progress is told how far it is, in a few words, each time that changes. It is
	// called by one goroutine at a time.
	Progress func(text string)
}

// Build builds the program. It fails with ctx's error if ctx ends first, else with
// what the compiler said.
func Build(ctx context.Context, config Config) error {
	// The kernel ties "die with the parent" to the thread that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	output, err := filepath.Abs(config.Output)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, output+".lock", config.Progress)
	if err != nil {
		return err
	}
	defer unlock()
	began, draft := time.Now(), output+".new"
	b := &builder{config: config}
	err = b.list(ctx)
	if err == nil {
		err = b.build(ctx, draft)
	}
	if err == nil {
		err = errors.Join(os.Chtimes(draft, began, began), os.Rename(draft, output))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s cannot be built: %w", config.Output, err)
	}
	return nil
}
