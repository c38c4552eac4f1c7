package notes_test

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/rollout/store/notes"
	"sluice/rollout/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.RunNotes(t, func(t *testing.T) storetest.NoteSubject {
		dir := t.TempDir()
		return storetest.NoteSubject{Open: func(t *testing.T) storetest.NoteStore { return open(t, dir) }}
	})
}

func open(t *testing.T, dir string) *notes.Dir {
	t.Helper()
	d, err := notes.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A process that died while it wrote a note leaves the old one.
func TestHalfWrittenNoteIsNone(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	if err := d.PutNote(t.Context(), "shadow", "me", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "shadow", "notes", ".me"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := open(t, dir).Notes(t.Context(), "shadow", "me")
	if err != nil || len(all) != 1 || string(all[0].Body) != "whole" {
		t.Errorf("%v, %v", all, err)
	}
}

func TestNamesThatAreNoFilesAreRefused(t *testing.T) {
	d := open(t, t.TempDir())
	for _, name := range []string{"", "..", "a/b", ".hidden", "nul\x00"} {
		if d.PutNote(t.Context(), "shadow", name, nil) == nil || d.PutNote(t.Context(), name, "me", nil) == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
