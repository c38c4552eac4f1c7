package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"sluice/rollout/store/embedded"
)

// One process after the other is killed under load, in the same directory; each
// takes over from the one before. Every update that had returned is there.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	told := make([]uint32, loaders) // by the children, of each document
	sum := uint32(0)
	for round := range 12 {
		sum += killOne(t, dir, told)
		if round%3 != 2 {
			continue // a death after a death
		}
		s := open(t, killed(dir))
		stored, begun := uint64(0), uint64(0)
		for i, want := range told {
			h, err := s.Get(t.Context(), fmt.Sprint("doc-", i))
			if err != nil {
				t.Fatal(err)
			}
			got := uint32(0)
			if len(h.Claims) == 1 {
				got = h.Claims[0].Attempts
				begun++
			}
			// Each death can cut off one update of each document before it is told.
			if got < want || got > want+uint32(round+1) || h.Version != uint64(got) {
				t.Fatalf("round %d, doc-%d: %d attempts in version %d, %d were told", round, i, got, h.Version, want)
			}
			stored += uint64(got)
		}
		if counts := ever(t, s); counts.good != stored || counts.assigned != begun {
			t.Fatalf("round %d: %+v were counted; %d attempts at %d documents are stored", round, counts, stored, begun)
		}
		if s.PowerLost() {
			t.Error("the death of a process was taken for a loss of power")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d updates, 12 kills, %d bytes of log", sum, logBytes(t, dir))
	if size := logBytes(t, dir); size > 1<<20 {
		t.Errorf("%d bytes hold %d claims", size, loaders)
	}
}

// killOne lets a child count for a moment, kills it, and counts what it told.
func killOne(t *testing.T, dir string, told []uint32) (sum uint32) {
	t.Helper()
	cmd := child(t.Context(), "load", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var dies *time.Timer
	for lines.Scan() {
		if dies == nil { // it has begun
			dies = time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		}
		if i, err := strconv.Atoi(lines.Text()); err == nil { // the last line may be cut
			told[i]++
			sum++
		}
	}
	if err := cmd.Wait(); err == nil || dies == nil {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return sum
}

// The next gateway waits for the lock of the one before.
func TestLockIsHandedOver(t *testing.T) {
	t.Parallel()
	c := gateway(t.TempDir())
	first := open(t, c)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := embedded.Open(short, c)
	if want := fmt.Sprintf("the claims in %s are locked by process", c.Dir); err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("Open of a locked directory: %v, want %q", err, want)
	}
	if err := first.Update(t.Context(), "doc", take(wish("doc"))); err != nil {
		t.Fatal(err)
	}
	waits := make(chan *embedded.Store)
	go func() {
		defer close(waits)
		second, err := embedded.Open(t.Context(), c)
		if err != nil {
			t.Error(err)
			return
		}
		waits <- second
	}()
	select {
	case <-waits:
		t.Fatal("two stores have one directory")
	case <-time.After(50 * time.Millisecond):
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, ok := <-waits
	if !ok {
		return
	}
	if h, err := second.Get(t.Context(), "doc"); err != nil || h.Version != 1 {
		t.Errorf("%+v, %v, want what the first had stored", h, err)
	}
	if err := first.Update(t.Context(), "doc", take(wish("doc"))); err != embedded.ErrClosed {
		t.Errorf("Update of a closed store: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
