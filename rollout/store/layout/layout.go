// Package layout says which layout a gateway's data directory has, and brings it
// forward. The directory is everything that a gateway keeps on its own disk: claims,
// answers, notes, pages, the list of what was sent without a claim, the brake, the
// flags' last policy and the audit.
//
// Invariants:
//   - The file layout.json says which layout the directory has, and which is the least
//     that a build must know to use it. A directory without the file has the first one.
//   - A build that is too old changes nothing, and takes over nothing: the file is read
//     before anything else, and by handover its predecessor refuses it besides.
//   - Each step can be repeated: whoever dies in the middle leaves the old number.
//
// To change a file's format, or only what something in it means: make the new code
// read what is there, or add a step that rewrites it, and let the step fence if a
// build of before would do harm. That is one more entry in steps. The layout of the
// tables in PostgreSQL is counted apart, in rollout/store/postgres.
package layout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// file is where the layout stands.
	file = "layout.json"
	// first is the layout of the first release, which had no such file.
	first = 1
)

// step leads from one layout to the next.
type step struct {
	// fences: builds that do not know the new layout may not use the directory.
	fences bool
	// apply changes what is there; nil if only its meaning changes. It may find what
	// an earlier try has changed already.
	apply func(dir string) error
}

// steps are all there are, in order. One that was released is never changed.
func steps() []step {
	return []step{
		// From here on builds look at the file. Those of before do not: to them the
		// claims' state file, which the new build writes, is damaged, so that they end.
		{fences: true},
	}
}

// Number is the layout of this build.
func Number() int { return first + len(steps()) }

// Least is the oldest layout whose builds may use what this one has written.
func Least() int {
	least := first
	for i, s := range steps() {
		if s.fences {
			least = first + i + 1
		}
	}
	return least
}

// ErrNewer says that the directory belongs to a newer build.
var ErrNewer = errors.New("a newer build of sluice has changed this data directory, and this one may not use it any more")

// stamp is what the file says.
type stamp struct {
	Layout int `json:"layout"`
	Least  int `json:"least"`
}

// Check fails with ErrNewer if this build must not use the directory. It changes
// nothing.
func Check(dir string) error {
	_, err := read(dir)
	return err
}

func read(dir string) (stamp, error) {
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{first, first}, nil
	}
	var s stamp
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	switch {
	case err != nil, s.Layout < first:
		return s, fmt.Errorf("%s says no layout: restore it from a copy, or start the build that was last used here: %w", path, errors.Join(err, fs.ErrInvalid))
	case s.Least > Number():
		return s, fmt.Errorf("%w: %s asks for a build that knows layout %d, and this one knows %d: run the newer build, or restore the directory as it was before it", ErrNewer, path, s.Least, Number())
	}
	return s, nil
}

// Bring brings the directory to this build's layout. It waits until ctx ends for the
// gateway that may still be about to leave it.
func Bring(ctx context.Context, dir string) error {
	s, err := read(dir)
	if err != nil || s.Layout >= Number() {
		return err
	}
	for _, lock := range []string{filepath.Join("claims", "lock"), "away.log"} {
		release, err := await(ctx, filepath.Join(dir, lock))
		if err != nil {
			return err
		}
		defer release()
	}
	for i, step := range steps()[s.Layout-first:] {
		if step.apply == nil {
			continue
		}
		if err := step.apply(dir); err != nil {
			return fmt.Errorf("the data directory %s cannot be brought from layout %d to %d: %w", dir, s.Layout+i, s.Layout+i+1, err)
		}
	}
	return write(dir, stamp{Number(), max(Least(), s.Least)})
}

// askAgain is how often a lock is asked for.
const askAgain = 5 * time.Millisecond

// await holds the lock of a file that a gateway locks, if there is one.
func await(ctx context.Context, path string) (release func(), err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(err, f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s is in use by another gateway, which did not end in time: %w", path, context.Cause(ctx)), f.Close())
		case <-time.After(askAgain):
		}
	}
}

// write replaces the file, durably.
func write(dir string, s stamp) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, file)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
