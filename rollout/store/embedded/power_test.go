package embedded_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/rollout/store/embedded"
)

// otherBoot is what the directory looks like after the machine has started anew.
func (f files) otherBoot(t *testing.T) files {
	t.Helper()
	state := regexp.MustCompile(`"boot":"[^"]*"`).ReplaceAll(f["state"], []byte(`"boot":"another"`))
	if bytes.Equal(state, f["state"]) {
		t.Fatalf("no boot in %s", f["state"])
	}
	return f.with("state", state)
}

// lost opens the directory and closes it again.
func lost(t *testing.T, c embedded.Config, rebuilt bool) bool {
	t.Helper()
	s := open(t, c)
	lost := s.PowerLost()
	if rebuilt {
		if err := s.Rebuilt(); err != nil {
			t.Fatal(err)
		}
		if s.PowerLost() {
			t.Error("power is lost after the claims were rebuilt")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return lost
}

func TestPowerLost(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%v", sync), func(t *testing.T) {
			live := small(filepath.Join(dir, fmt.Sprint("live", sync)))
			live.Sync = sync
			moments := history(t, live)
			c := small(filepath.Join(dir, "after"))
			crash := moments[len(moments)-1].files

			crash.write(t, c.Dir)
			if lost(t, c, false) {
				t.Error("the death of a process is no loss of power")
			}
			readDir(t, live.Dir).otherBoot(t).write(t, c.Dir)
			if lost(t, c, false) {
				t.Error("nothing is lost after Close")
			}
			crash.otherBoot(t).write(t, c.Dir)
			if got := lost(t, c, false); got == sync {
				t.Fatalf("after a crash of the machine, power is lost: %v", got)
			}
			if sync {
				return
			}
			if !lost(t, c, true) {
				t.Error("a restart forgot that claims are missing")
			}
			if lost(t, c, false) {
				t.Error("a restart forgot that the claims were rebuilt")
			}
		})
	}
}

// A machine that stops may have written any page and not another. What is left is
// read, and mended: the next start has no damage.
func TestHolesAfterPowerLoss(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	for _, sync := range []bool{false, true} {
		live := small(filepath.Join(dir, fmt.Sprint("live", sync)))
		live.Sync = sync
		moments := history(t, live)
		m := moments[len(moments)-1]
		c := small(filepath.Join(dir, "holes"))
		c.Sync = sync
		for name, whole := range m.files {
			if !strings.HasSuffix(name, ".claims") {
				continue
			}
			for at := 0; at < len(whole); at += 24 {
				hole := bytes.Clone(whole)
				clear(hole[at:min(at+100, len(hole))])
				m.files.with(name, hole).otherBoot(t).write(t, c.Dir)
				first := open(t, c)
				damaged := !bytes.Equal(hole, whole)
				if got := first.PowerLost(); damaged && name != m.head && !got || !sync && !got {
					t.Fatalf("%s, hole at %d: power is lost: %v", name, at, got)
				}
				var crashed files // and now only the process dies
				embedded.Still(first, func() { crashed = readDir(t, c.Dir) })
				if err := first.Close(); err != nil {
					t.Fatal(err)
				}
				crashed.write(t, c.Dir)
				second := open(t, c)
				if err := second.Update(t.Context(), "doc-0", take(wish("doc-0"))); err != nil {
					t.Fatal(err)
				}
				if err := second.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
