package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

const (
	// patience is the number of polls in a row that must find the file bad
	// before that is reported: an editor is still writing, or has moved the old
	// file away and not yet the new one in.
	patience = 4
	// coarse is the age below which a modification time proves nothing: a
	// second edit of the same size may bear the same one.
	coarse = 2 * time.Second
	// rereadEvery polls, the file is read whatever its identity says, for file
	// systems that cache attributes and tools that set times back.
	rereadEvery = 20
	// sizeLimit bounds what is read, in bytes.
	sizeLimit = 1 << 20
)

var errUnchanged = errors.New("unchanged")

// watcher is what polling knows of the file. Owned by whoever polls.
type watcher struct {
	path string
	stat func(string) (fs.FileInfo, error)

	view  *view                        // the last one to be told; nil before the first
	fault *openfeature.ResolutionError // what is wrong with the file now, told or not
	bad   int                          // polls in a row with a fault

	seen   fs.FileInfo // identity before the last reading; nil if that failed
	raw    []byte      // the last content, good or bad; nil if reading failed
	unread int         // polls since the last reading
}

func newWatcher(path string) watcher { return watcher{path: path, stat: os.Stat} }

// poll looks at the file once and reports whether w.view is a new one.
func (w *watcher) poll() bool {
	raw, err := w.read()
	switch {
	case errors.Is(err, errUnchanged):
	case err != nil:
		fault := openfeature.NewGeneralResolutionError(fmt.Sprintf("the flag file cannot be read: %v", err))
		w.fault = &fault
	default:
		flags, fault := parse(w.path, raw)
		if fault == nil {
			w.view, w.fault, w.bad = &view{flags: flags}, nil, 0
			return true
		}
		w.fault = fault
	}
	if w.fault == nil {
		return false
	}
	w.bad++
	return w.bad >= patience && w.tell()
}

// tell makes the fault the view, unless it is that already.
func (w *watcher) tell() bool {
	if w.view != nil && w.view.fault != nil && w.view.fault.Error() == w.fault.Error() {
		return false
	}
	w.view = &view{fault: w.fault}
	return true
}

// read returns the content, or errUnchanged if it is that of the last reading,
// or why there is none.
func (w *watcher) read() ([]byte, error) {
	info, err := w.stat(w.path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file (%s)", w.path, info.Mode().Type())
	}
	if err != nil {
		w.seen, w.raw = nil, nil
		return nil, err
	}
	w.unread++
	if w.unread < rereadEvery && w.same(info) && time.Since(info.ModTime()) > coarse {
		return nil, errUnchanged
	}
	raw, err := readLimited(w.path)
	if err != nil {
		w.seen, w.raw = nil, nil
		return nil, err
	}
	w.seen, w.unread = info, 0
	if w.raw != nil && bytes.Equal(raw, w.raw) {
		return nil, errUnchanged
	}
	w.raw = raw
	return raw, nil
}

// same reports whether info is the identity of the file last read. SameFile
// compares device and inode, so that a swapped symlink is a change.
func (w *watcher) same(info fs.FileInfo) bool {
	return w.seen != nil && os.SameFile(w.seen, info) &&
		w.seen.Size() == info.Size() && w.seen.ModTime().Equal(info.ModTime())
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read: nothing can be lost
	raw, err := io.ReadAll(io.LimitReader(f, sizeLimit+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > sizeLimit {
		return nil, fmt.Errorf("%s is larger than %d bytes: is it the flag file?", path, sizeLimit)
	}
	return raw, nil
}
