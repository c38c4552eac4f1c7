package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// stored returns how many attempts are registered for the document, in the open
// store and in what its death would leave.
func stored(t *testing.T, s *embedded.Store, c embedded.Config, docID string) (memory, disk uint32) {
	t.Helper()
	attempts := func(s *embedded.Store) uint32 {
		h, err := s.Get(t.Context(), docID)
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Claims) == 0 {
			return 0
		}
		return h.Claims[0].Attempts
	}
	copied := c
	copied.Dir = filepath.Join(t.TempDir(), "copy")
	var now files
	embedded.Still(s, func() { now = readDir(t, c.Dir) })
	now.write(t, copied.Dir)
	again := open(t, copied)
	defer func() { _ = again.Close() }() // it is a copy
	return attempts(s), attempts(again)
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	c := small(t.TempDir())
	s := open(t, c)
	embedded.Refuse(s, syscall.ENOSPC)
	if err := s.Update(t.Context(), "doc", take(wish("doc"))); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Update without any room: %v", err)
	}
	want := uint32(0)
	for round := range 3 {
		embedded.Refuse(s, nil)
		for range 5 {
			if err := s.Update(t.Context(), "doc", take(wish("doc"))); err != nil {
				t.Fatalf("Update with room again: %v", err)
			}
			want++
		}
		embedded.Refuse(s, syscall.ENOSPC)
		failed := 0
		for range 10 {
			if err := s.Update(t.Context(), "doc", take(wish("doc"))); err == nil {
				want++ // there was room in the segment
			} else if failed++; !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
		}
		if memory, disk := stored(t, s, c, "doc"); failed == 0 || memory != want || disk != want {
			t.Fatalf("round %d: %d attempts in memory, %d on disk, want %d; %d failed", round, memory, disk, want, failed)
		}
	}
	embedded.Refuse(s, nil)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What could not be written to the disk was not stored, and does not come back
// from the page cache.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	c := gateway(t.TempDir())
	c.Sync = true
	s := open(t, c)
	update := func(id string) error { return s.Update(t.Context(), id, take(wish(id))) }
	if err := errors.Join(update("doc"), update("doc")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		embedded.BreakSync(s, syscall.EIO)
		if err := errors.Join(update("doc"), errors.New("-")); !errors.Is(err, syscall.EIO) {
			t.Fatalf("Update while the disk fails: %v", err)
		}
		if err := update("new"); !errors.Is(err, syscall.EIO) {
			t.Fatalf("Update while the disk fails: %v", err)
		}
		embedded.BreakSync(s, nil)
	}
	for _, id := range []string{"doc", "new"} {
		want := map[string]uint32{"doc": 2}[id]
		if memory, disk := stored(t, s, c, id); memory != want || disk != want {
			t.Errorf("%s: %d attempts in memory, %d on disk, want %d", id, memory, disk, want)
		}
	}
	if err := errors.Join(update("doc"), update("new")); err != nil {
		t.Fatalf("Update when the disk works again: %v", err)
	}
	for _, id := range []string{"doc", "new"} {
		want := map[string]uint32{"doc": 3, "new": 1}[id]
		if memory, disk := stored(t, s, c, id); memory != want || disk != want {
			t.Errorf("%s: %d attempts in memory, %d on disk, want %d", id, memory, disk, want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Somebody cuts the mapped files short: touching what is gone is an error, not
// the process's death.
func TestPagesThatAreGone(t *testing.T) {
	t.Parallel()
	c := gateway(t.TempDir())
	s := open(t, c)
	for i := range 200 {
		id := fmt.Sprint("doc-", i)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
	}
	head, _ := embedded.Head(s)
	if err := os.Truncate(head, 4096); err != nil {
		t.Fatal(err)
	}
	if h, err := s.Get(t.Context(), "doc-0"); err != nil || h.Version != 1 {
		t.Errorf("%+v, %v, want what is still there", h, err)
	}
	if _, err := s.Get(t.Context(), "doc-199"); err == nil {
		t.Error("Get succeeded, but the page is gone")
	}
	if err := s.Open(t.Context(), func(*rollout.Holding) error { return nil }); err == nil {
		t.Error("Open succeeded, but pages are gone")
	}
	if err := s.Update(t.Context(), "new", take(wish("new"))); err == nil {
		t.Error("Update succeeded, but the page is gone")
	}
	if err := s.Update(t.Context(), "new", take(wish("new"))); err != nil {
		t.Errorf("Update, in the next segment: %v", err)
	}
	_ = s.Close() // there is no good way to close this
}
