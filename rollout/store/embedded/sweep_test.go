package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// settle claims a document for legacy and ends the claim.
func settle(t *testing.T, s *embedded.Store, docID string) {
	t.Helper()
	ask := wish(docID)
	ask.Temporal = false
	err := errors.Join(s.Update(t.Context(), docID, take(ask)), s.Update(t.Context(), docID, func(h *rollout.Holding, at rollout.Instant) error {
		return h.Sent(ask.Intent, ask.Owner, true, at)
	}))
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !true(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it is still not so that %s", what)
		}
	}
}

func TestNothingIsLeftAfterTheHorizon(t *testing.T) {
	t.Parallel()
	c := gateway(t.TempDir())
	c.Horizon, c.SegmentBytes = 300*time.Millisecond, 64<<10
	s := open(t, c)
	for i := range 3000 {
		settle(t, s, fmt.Sprint("doc-", i))
	}
	if embedded.Entries(s) == 0 || logBytes(t, c.Dir) == 0 {
		t.Fatal("there was nothing to forget")
	}
	until(t, "nothing is left in memory", func() bool { return embedded.Entries(s) == 0 && embedded.Slots(s) == 0 })
	until(t, "nothing is left on disk", func() bool { return logBytes(t, c.Dir) == 0 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A claim that stays open keeps nothing of the others on the disk.
func TestExpiredLeavesTheDiskBesideTheOpen(t *testing.T) {
	t.Parallel()
	c := gateway(t.TempDir())
	c.Horizon = 300 * time.Millisecond
	s := open(t, c)
	if err := s.Update(t.Context(), "open", take(wish("open"))); err != nil {
		t.Fatal(err)
	}
	settle(t, s, "patient-0815")
	until(t, "no byte of it is left", func() bool {
		var now files
		embedded.Still(s, func() { now = readDir(t, c.Dir) })
		for _, b := range now {
			if bytes.Contains(b, []byte("patient-0815")) {
				return false
			}
		}
		return true
	})
	if h, err := s.Get(t.Context(), "open"); err != nil || h.Version != 1 {
		t.Errorf("%+v, %v, want the open claim", h, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Some claims stay while others around them are rewritten all the time.
func TestSweepingUnderLoad(t *testing.T) {
	t.Parallel()
	const writers, rounds, stay = 16, 1500, 200
	c := gateway(t.TempDir())
	c.SegmentBytes = 32 << 10
	s := open(t, c)
	before := make([][]byte, stay)
	get := func(s *embedded.Store, id string) *rollout.Holding {
		h, err := s.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	var all sync.WaitGroup
	for i := range stay {
		id := fmt.Sprint("stays-", i)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
		before[i] = rollout.AppendHolding(nil, get(s, id))
	}
	for w := range writers {
		all.Go(func() {
			for i := range rounds {
				id := fmt.Sprintf("hot-%d-%d", w, i%5)
				if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for range 2 {
		for i := range stay {
			if got := rollout.AppendHolding(nil, get(s, fmt.Sprint("stays-", i))); !bytes.Equal(got, before[i]) {
				t.Fatalf("stays-%d has changed", i)
			}
		}
		for w := range writers {
			for i := range 5 {
				if h := get(s, fmt.Sprintf("hot-%d-%d", w, i)); h.Version != rounds/5 {
					t.Fatalf("%s has version %d, want %d", h.DocID, h.Version, rounds/5)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, c)
	}
	until(t, "the log is as short as it should be", func() bool { return logBytes(t, c.Dir) < 8*32<<10 })
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// The index takes 16 bytes for each entry, and at most 3 of 8 entries are empty
// when it has just grown. The bound is generous.
func TestMemoryOfManyClaims(t *testing.T) {
	const claims, most = 100_000, 64 // bytes each
	s := open(t, gateway(t.TempDir()))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range claims {
		id := fmt.Sprint("doc-", i)
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
	}
	if each := (int64(heap()) - int64(before)) / claims; each > most {
		t.Errorf("a claim takes %d bytes of heap, want at most %d", each, most)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
