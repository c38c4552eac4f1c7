// Package brake keeps the brake of one gateway in a file.
//
// Invariants:
//   - A lowering is in force here when it begins to be stored, and stays in force
//     whether that succeeds or not. A release is stored first.
//   - Whoever opens the file, after any crash, finds the old brake or the new one.
//     A file that cannot be read is a brake at 0 %: no failure raises.
package brake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"sluice/rollout"
)

// ErrUnkept says that a lowering is in force and would not outlive the process.
var ErrUnkept = errors.New("the brake is in force and cannot be kept on disk")

// File is a brake and where it is kept. Its methods may be called concurrently.
type File struct {
	path string
	now  atomic.Pointer[rollout.Brake]
	mu   sync.Mutex // held while the brake is changed
	kept bool       // guarded by mu: the file says what is in force
}

// Open reads the file; without one the brake is released. The directory must be
// there.
func Open(path string, log *zap.Logger) *File {
	f := &File{path: path, kept: true}
	now, err := read(path)
	if err != nil {
		now = rollout.Brake{Exposure: rollout.None, Actor: "sluice", Reason: "the file of the brake cannot be read", At: time.Now().UTC()}
		log.Error("the file of the brake is damaged: everything new goes to legacy, until an operator releases the brake", zap.Error(err))
	}
	f.now.Store(&now)
	return f
}

// Brake returns what is in force. The pointer changes with it.
func (f *File) Brake() *rollout.Brake { return f.now.Load() }

// Set lowers or releases the brake; see rollout.Brake.After. It fails with
// rollout.ErrBrakeLower and has done nothing, with ErrUnkept and has lowered it, or
// with another error and has not released it.
func (f *File) Set(act rollout.Brake) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next, err := f.now.Load().After(act)
	if err != nil {
		return err
	}
	if next.Exposure == rollout.All {
		if err := f.save(next); err != nil {
			return fmt.Errorf("the release of the brake cannot be kept on disk: %w", err)
		}
		f.now.Store(&next)
		return nil
	}
	f.now.Store(&next)
	if err := f.save(next); err != nil {
		return fmt.Errorf("%w: %w", ErrUnkept, err)
	}
	return nil
}

// Withdraw releases the brake if it still is that one, which is then kept
// elsewhere.
func (f *File) Withdraw(brake *rollout.Brake) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now.Load() != brake {
		return nil
	}
	released := rollout.Brake{Exposure: rollout.All}
	if err := f.save(released); err != nil {
		return fmt.Errorf("the brake cannot be released on disk: %w", err)
	}
	f.now.Store(&released)
	return nil
}

// Keep stores what is in force, if that failed before.
func (f *File) Keep() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept {
		return nil
	}
	return f.save(*f.now.Load())
}

const version = 1

// content is what stands in the file. Exposure must be there.
type content struct {
	Version  int               `json:"version"`
	Exposure *rollout.Exposure `json:"exposure"`
	Actor    string            `json:"actor"`
	Reason   string            `json:"reason"`
	At       time.Time         `json:"at"`
}

func read(path string) (rollout.Brake, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return rollout.Brake{Exposure: rollout.All}, nil
	}
	if err != nil {
		return rollout.Brake{}, err
	}
	var c content
	if err := json.Unmarshal(raw, &c, json.RejectUnknownMembers(true)); err != nil {
		return rollout.Brake{}, fmt.Errorf("%s: %w", path, err)
	}
	if c.Version != version || c.Exposure == nil || *c.Exposure > rollout.All {
		return rollout.Brake{}, fmt.Errorf("%s: it has no version %d, or no exposure up to %d", path, version, rollout.All)
	}
	return rollout.Brake{Exposure: *c.Exposure, Actor: c.Actor, Reason: c.Reason, At: c.At}, nil
}

// save replaces the file, durably. The caller holds mu.
func (f *File) save(b rollout.Brake) error {
	f.kept = false
	raw, err := json.Marshal(content{Version: version, Exposure: &b.Exposure, Actor: b.Actor, Reason: b.Reason, At: b.At})
	if err != nil {
		return err
	}
	draft := f.path + ".new"
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(raw, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft, f.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return err
	}
	err = errors.Join(dir.Sync(), dir.Close())
	f.kept = err == nil
	return err
}
