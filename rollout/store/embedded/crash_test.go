package embedded_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
)

// small makes the history span some segments.
func small(dir string) embedded.Config {
	c := gateway(dir)
	c.SegmentBytes = 400
	return c
}

// Every state of the newest segment in which a dying process can leave it, and
// more: cut off at every byte, and zeros from every byte on, at every moment. What
// had been stored before is there, and nothing else is.
func TestCrashAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	moments := history(t, small(filepath.Join(dir, "live")))
	c := small(filepath.Join(dir, "crashed"))
	segments := 0
	for i, m := range moments[1:] {
		before := moments[i]
		start := newest(before, m)
		whole := m.files[m.head]
		body := bodyAt(whole, start)
		if before.head != m.head {
			segments++
			start, body = 0, start+body
		}
		for at := start; at <= m.used; at++ {
			zeroed := append(slices.Clone(whole[:at]), make([]byte, len(whole)-at)...)
			want := before.holdings
			if bytes.Equal(zeroed, whole) {
				want = m.holdings
			}
			m.files.with(m.head, zeroed).write(t, c.Dir)
			if err := check(t, c, want); err != nil {
				t.Fatalf("update %d, zeros from byte %d of %d on: %v", i, at, m.used, err)
			}
			want = before.holdings
			if at >= start+8+body {
				want = m.holdings
			}
			m.files.with(m.head, whole[:at]).write(t, c.Dir)
			for range 1 + (at-start)%8/7 { // what was mended stays so
				if err := check(t, c, want); err != nil {
					t.Fatalf("update %d, cut at byte %d of %d: %v", i, at, m.used, err)
				}
			}
		}
	}
	if segments < 4 {
		t.Errorf("the history spans %d segments: too few to mean much", segments)
	}
}

// newest returns where the record of moment m begins in its head: a new segment
// begins with the books and the totals.
func newest(before, m moment) int {
	if before.head == m.head {
		return before.used
	}
	return 8 + (bodyAt(m.files[m.head], 0)+7)&^7
}

// bodyAt returns how long the body of the record there is.
func bodyAt(segment []byte, at int) int {
	return int(binary.NativeEndian.Uint32(segment[at:]) & (1<<28 - 1))
}

// A byte that changed is noticed, or it makes no difference, or it is in the last
// record, which then counts as not stored to the end.
func TestChangedByte(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	moments := history(t, small(filepath.Join(dir, "live")))
	m, before := moments[len(moments)-1], moments[len(moments)-2]
	c := small(filepath.Join(dir, "changed"))
	noticed := 0
	for name, whole := range m.files {
		if !strings.HasSuffix(name, ".claims") {
			continue
		}
		end := len(whole)
		if name == m.head {
			end = m.used
		}
		for at := range end {
			changed := slices.Clone(whole)
			changed[at] ^= 1 << (at % 8)
			m.files.with(name, changed).write(t, c.Dir)
			err := check(t, c, m.holdings)
			last := name == m.head && at >= newest(before, m)
			switch {
			case err == nil:
			case last && check(t, c, before.holdings) == nil:
			case strings.Contains(err.Error(), "cannot be read"):
				noticed++
				if !strings.Contains(err.Error(), c.Dir) || !strings.Contains(err.Error(), "restore the directory") {
					t.Fatalf("the error does not say where, or what to do: %v", err)
				}
				if got := readDir(t, c.Dir); !bytes.Equal(got[name], changed) || len(got) != len(m.files) {
					t.Fatalf("opening %s failed and changed it", name)
				}
			default:
				t.Fatalf("byte %d of %s changed : %v", at, name, err)
			}
		}
	}
	if noticed < 500 {
		t.Errorf("only %d changes were noticed", noticed)
	}
}

// No segment but the newest can be shorter than it was, or missing.
func TestShortOrMissingSegment(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	moments := history(t, small(filepath.Join(dir, "live")))
	m := moments[len(moments)-1]
	c := small(filepath.Join(dir, "short"))
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range m.files {
			if strings.HasSuffix(name, ".claims") && !yield(name) {
				return
			}
		}
	})
	for i, name := range names[:len(names)-1] {
		for at := range m.files[name] {
			m.files.with(name, m.files[name][:at]).write(t, c.Dir)
			if err := check(t, c, m.holdings); err == nil || !strings.Contains(err.Error(), "cannot be read") {
				t.Fatalf("%s cut at byte %d: %v", name, at, err)
			}
		}
		if i == 0 {
			continue // the oldest may have gone
		}
		m.files.write(t, c.Dir)
		if err := os.Remove(filepath.Join(c.Dir, name)); err != nil {
			t.Fatal(err)
		}
		if err := check(t, c, m.holdings); err == nil || !strings.Contains(err.Error(), "is missing") {
			t.Fatalf("%s missing: %v", name, err)
		}
	}
	m.files.write(t, c.Dir)
	if err := os.Remove(filepath.Join(c.Dir, "state")); err != nil {
		t.Fatal(err)
	}
	if err := check(t, c, m.holdings); err == nil || !strings.Contains(err.Error(), "restore the directory") {
		t.Errorf("without the state file: %v", err)
	}
}

// A store that was closed has lost nothing, so its end is not taken for a crash.
func TestCutAfterClose(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	live := small(filepath.Join(dir, "live"))
	moments := history(t, live)
	m := moments[len(moments)-1]
	closed := readDir(t, live.Dir)
	c := small(filepath.Join(dir, "cut"))
	for at := range closed[m.head] {
		closed.with(m.head, closed[m.head][:at]).write(t, c.Dir)
		if err := check(t, c, m.holdings); err == nil || !strings.Contains(err.Error(), "ends too early") {
			t.Fatalf("cut at byte %d: %v", at, err)
		}
	}
	closed.write(t, c.Dir)
	if err := check(t, c, m.holdings); err != nil {
		t.Error(err)
	}
}

// Deaths while the sweeper copies and takes away: at each of many instants the
// directory holds the same as the store.
func TestCrashWhileSweeping(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	live, crashed := small(filepath.Join(dir, "live")), small(filepath.Join(dir, "crashed"))
	s := open(t, live)
	want := map[string]uint32{}
	for i := range 3000 {
		id := fmt.Sprint("doc-", i%7*(i%3))
		if err := s.Update(t.Context(), id, take(wish(id))); err != nil {
			t.Fatal(err)
		}
		want[id]++
		if i%100 != 99 {
			continue
		}
		var now files
		embedded.Still(s, func() { now = readDir(t, live.Dir) })
		now.write(t, crashed.Dir)
		again := open(t, crashed)
		for id, attempts := range want {
			if h, err := again.Get(t.Context(), id); err != nil || len(h.Claims) != 1 || h.Claims[0].Attempts != attempts {
				t.Fatalf("%s after update %d: %+v, %v, want %d attempts", id, i, h, err, attempts)
			}
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if size := logBytes(t, live.Dir); size > 40*500 {
		t.Errorf("%d bytes hold %d claims", size, len(want))
	}
}

// take is the change that claims a document.
func take(ask rollout.Ask) func(*rollout.Holding, rollout.Instant) error {
	return func(h *rollout.Holding, at rollout.Instant) error {
		_, err := h.Take(ask, at)
		return err
	}
}
