// Package notes keeps notes and samples in a directory, for one gateway at a time:
//
//	<dir>/<subject>/notes/<owner>      one note
//	<dir>/<subject>/samples/<number>   one sample; numbers grow
//
// Invariants:
//   - A note is replaced as a whole, by a rename: the death of the process leaves
//     the old one or the new one. A loss of power may leave an older one.
//   - There is no other gateway, so every other owner's note is an orphan.
package notes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"sluice/rollout"
)

// Dir is such a directory. It is safe for concurrent use.
type Dir struct {
	path string

	mu      sync.Mutex
	samples map[string]*album // by subject; guarded by mu
}

// Open returns the directory, and makes it if it is not there. Nothing else may be
// in it.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("the directory of the notes: %w", err)
	}
	return &Dir{path: path, samples: map[string]*album{}}, nil
}

// plain reports whether a name is a file's and nothing else.
func plain(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.ContainsAny(name, "/\\\x00")
}

// PutNote replaces the owner's note about the subject.
func (d *Dir) PutNote(ctx context.Context, subject, owner string, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.put(ctx, subject, owner, body)
}

// put is PutNote. d.mu must be held.
func (d *Dir) put(ctx context.Context, subject, owner string, body []byte) error {
	if !plain(subject) || !plain(owner) {
		return fmt.Errorf("a note of %q about %q has no file", owner, subject)
	}
	return replace(ctx, filepath.Join(d.path, subject, "notes", owner), body)
}

// replace writes the file as a whole.
func replace(ctx context.Context, path string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	unnamed := filepath.Join(dir, "."+name)
	if err := os.WriteFile(unnamed, body, 0o600); err != nil {
		return errors.Join(err, os.Remove(unnamed))
	}
	return os.Rename(unnamed, path)
}

// Notes returns everybody's notes about the subject, by owner. All but self's are
// orphans.
func (d *Dir) Notes(ctx context.Context, subject, self string) ([]rollout.Note, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil || !plain(subject) {
		return nil, err
	}
	dir := filepath.Join(d.path, subject, "notes")
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []rollout.Note
	for _, file := range files {
		if !plain(file.Name()) {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, rollout.Note{Owner: file.Name(), Body: body, Orphan: file.Name() != self})
	}
	return all, nil
}

// Inherit replaces the owner's note by body, which holds what the orphan says, and
// removes the orphan. It does neither, and returns false, if the orphan is not as
// it was read. A process that dies in between leaves both: so what a note says must
// tell whose share it holds already.
func (d *Dir) Inherit(ctx context.Context, subject string, orphan rollout.Note, owner string, body []byte) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !plain(subject) || !plain(orphan.Owner) {
		return false, nil
	}
	path := filepath.Join(d.path, subject, "notes", orphan.Owner)
	found, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && string(found) != string(orphan.Body):
		return false, nil
	case err != nil:
		return false, err
	}
	if err := d.put(ctx, subject, owner, body); err != nil {
		return false, err
	}
	return true, os.Remove(path)
}
