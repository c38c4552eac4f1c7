package embedded_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// scratch is a directory in memory if there is one: tests that open thousands of
// stores wait for no disk there.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "claims")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// files is a directory's content.
type files map[string][]byte

// readDir reads the log, the state and the desk.
func readDir(t *testing.T, dir string) files {
	t.Helper()
	found := files{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			found[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// with returns a copy in which one file is another.
func (f files) with(name string, b []byte) files {
	changed := maps.Clone(f)
	changed[name] = b
	return changed
}

// write makes the directory hold the files, and nothing else.
func (f files) write(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range f {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// logBytes returns how long the files of the log are together.
func logBytes(t *testing.T, dir string) int64 {
	t.Helper()
	total := int64(0)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "lock" || e.Name() == "state" {
			return err
		}
		info, err := e.Info()
		if err == nil {
			total += info.Size()
		}
		return nil // a file may go meanwhile
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// moment is a store after an update has returned.
type moment struct {
	files    files
	head     string // the newest segment
	used     int    // bytes of it
	holdings contents
}

// contents is what a store holds, encoded: the documents' holdings, the books with
// what is open, and what was ever counted.
type contents struct {
	documents     map[string][]byte
	books, counts string
}

// booksOf reads a store's books.
func booksOf(t *testing.T, s *embedded.Store) string {
	t.Helper()
	books, err := s.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(books)
}

// history makes updates of every kind and returns the moment after each. The
// first is before any.
func history(t *testing.T, c embedded.Config) []moment {
	t.Helper()
	s := open(t, c)
	embedded.StopSweeper(s)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	holdings := map[string][]byte{}
	var moments []moment
	note := func() {
		path, used := embedded.Head(s)
		if n := len(moments); n > 0 && moments[n-1].used == used && moments[n-1].head == filepath.Base(path) {
			return // the update changed nothing
		}
		moments = append(moments, moment{readDir(t, c.Dir), filepath.Base(path), used, contents{maps.Clone(holdings), booksOf(t, s), everCounted(t, s)}})
	}
	note()
	for i := range 14 {
		id := fmt.Sprint("doc-", i%5)
		ask := wish(id)
		ask.Temporal = i%2 == 0
		err := s.Update(t.Context(), id, func(h *rollout.Holding, at rollout.Instant) error {
			if i%7 == 6 {
				h.Claims = nil
				return nil
			}
			if i%3 == 1 && len(h.Claims) > 0 {
				h.Judge(ask.Intent, rollout.Ending{Fate: rollout.FateDead}, at)
				return h.Attempted(ask.Intent, h.Claims[0].Life, rollout.VerdictAccepted)
			}
			_, err := h.Take(ask, at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if h, err := s.Get(t.Context(), id); err != nil {
			t.Fatal(err)
		} else if holdings[id] = rollout.AppendHolding(nil, h); h.Version == 0 {
			delete(holdings, id)
		}
		note()
		if i%4 == 3 {
			decide(t, s)
		}
	}
	return moments
}

// check opens the directory and returns what differs from the holdings, or why it
// cannot be opened.
func check(t *testing.T, c embedded.Config, want contents) error {
	t.Helper()
	s, err := embedded.Open(t.Context(), c)
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var wrong []string
	for i := range 5 {
		id := fmt.Sprint("doc-", i)
		h, err := s.Get(t.Context(), id)
		if err != nil {
			return err
		}
		got := rollout.AppendHolding(nil, h)
		if want.documents[id] == nil && h.Version == 0 && len(h.Claims) == 0 {
			continue
		}
		if !bytes.Equal(got, want.documents[id]) {
			wrong = append(wrong, fmt.Sprintf("%s is %+v", id, *h))
		}
	}
	if n := embedded.Entries(s); n != len(want.documents) {
		wrong = append(wrong, fmt.Sprintf("%d documents, want %d", n, len(want.documents)))
	}
	if books := booksOf(t, s); books != want.books {
		wrong = append(wrong, fmt.Sprintf("the books are %s, want %s", books, want.books))
	}
	if counts := everCounted(t, s); counts != want.counts {
		wrong = append(wrong, fmt.Sprintf("the counts are %s, want %s", counts, want.counts))
	}
	if wrong != nil {
		return fmt.Errorf("not what was stored: %s", strings.Join(wrong, "; "))
	}
	return nil
}
