package flags_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/rollout/flags"
)

// unreachable is a source that is down from the start.
func unreachable() *provider {
	b := newBoard(0, 0, false)
	b.down()
	return b.provider
}

// live runs a reader for one life and returns what was in force at its end.
func live(t *testing.T, cfg flags.Config) rollout.Policy {
	t.Helper()
	r, err := flags.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	tick()
	stop(t, r)
	return *r.Policy()
}

func TestRestartWithTheSourceDownChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.state")
	synctest.Test(t, func(t *testing.T) {
		before := live(t, flags.Config{Provider: newBoard(12.5, 30, true).provider, StateFile: file})
		for range 2 {
			if got := live(t, flags.Config{Provider: unreachable(), StateFile: file}); got != before {
				t.Errorf("policy %+v, want %+v", got, before)
			}
		}
	})
}

func TestBootValue(t *testing.T) {
	exposure := func(p float64) *rollout.Exposure { e := percent(t, p); return &e }
	cases := map[string]struct {
		stored float64 // percent; -1: nothing
		boot   *rollout.Exposure
		want   float64
		log    string
	}{
		"nothing at all":     {-1, nil, 0, ""},
		"nothing stored":     {-1, exposure(10), 10, ""},
		"unset":              {40, nil, 40, ""},
		"lower":              {40, exposure(10), 10, "lower than the stored policy"},
		"zero":               {40, exposure(0), 0, "lower than the stored policy"},
		"higher":             {40, exposure(90), 40, "higher than the stored policy"},
		"equal":              {40, exposure(40), 40, ""},
		"higher than a zero": {0, exposure(90), 0, "higher than the stored policy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flags.state")
			synctest.Test(t, func(t *testing.T) {
				if c.stored >= 0 {
					live(t, flags.Config{Provider: newBoard(c.stored, 0, false).provider, StateFile: file})
				}
				log, lines := newLog()
				source := newBoard(0, 0, false)
				source.down()
				r := start(t, flags.Config{Provider: source.provider, StateFile: file, Boot: c.boot, Log: log})
				if got := r.Policy().Exposure(); got != percent(t, c.want) {
					t.Errorf("exposure %s, want %v%%", got, c.want)
				}
				said := lines.FilterMessageSnippet("the boot value")
				if (said.Len() > 0) != (c.log != "") || said.FilterMessageSnippet(c.log).Len() != said.Len() {
					t.Errorf("logged %v, want %q", said.All(), c.log)
				}
				source.edit(70, 0, false)
				tick()
				if got := r.Policy().Exposure(); got != percent(t, 70) {
					t.Errorf("after a fresh reading: %s, want 70%%", got)
				}
			})
		})
	}
}

func TestBootValueLeavesAStoredKillAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.state")
	synctest.Test(t, func(t *testing.T) {
		live(t, flags.Config{Provider: newBoard(40, 0, true).provider, StateFile: file})
		boot := percent(t, 10)
		if got := live(t, flags.Config{Provider: unreachable(), StateFile: file, Boot: &boot}); !got.Kill {
			t.Errorf("policy %+v, want killed", got)
		}
	})
}

// A boot value that was in force is not undone by taking it away while the
// source is down.
func TestRestartWithoutTheBootValueRaisesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.state")
	synctest.Test(t, func(t *testing.T) {
		live(t, flags.Config{Provider: newBoard(40, 0, false).provider, StateFile: file})
		boot := percent(t, 10)
		lowered := live(t, flags.Config{Provider: unreachable(), StateFile: file, Boot: &boot})
		if got := live(t, flags.Config{Provider: unreachable(), StateFile: file}); got != lowered {
			t.Errorf("policy %+v, want %+v", got, lowered)
		}
	})
}

func TestEpochGoesOnAcrossRestarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.state")
	synctest.Test(t, func(t *testing.T) {
		last := live(t, flags.Config{Provider: newBoard(1, 0, false).provider, StateFile: file})
		for i := range 5 {
			next := live(t, flags.Config{Provider: newBoard(float64(i+2), 0, false).provider, StateFile: file})
			if next.Epoch != last.Epoch+1 {
				t.Errorf("epoch %d after %d: the source changed once", next.Epoch, last.Epoch)
			}
			last = next
		}
	})
}

func TestDamagedStateFile(t *testing.T) {
	damages := map[string]string{
		"empty":              "",
		"half":               `{"version": 1, "epoch": 9, "in_force": {"roll`,
		"zeros":              strings.Repeat("\x00", 80),
		"not JSON":           "40\n%",
		"array":              "[]",
		"no members":         "{}",
		"other version":      `{"version": 2, "epoch": 9, "in_force": {"rollout": 400000}}`,
		"unknown member":     `{"version": 1, "epoch": 9, "in_force": {"rollout": 1}, "x": 1}`,
		"exposure too high":  `{"version": 1, "epoch": 9, "in_force": {"rollout": 1000001}}`,
		"negative exposure":  `{"version": 1, "epoch": 9, "in_force": {"rollout": -1}}`,
		"shadow too high":    `{"version": 1, "epoch": 9, "in_force": {"shadow": 4000000000}}`,
		"epoch at its end":   `{"version": 1, "epoch": 18446744073709551615, "in_force": {"rollout": 1}}`,
		"no epoch":           `{"version": 1, "in_force": {"rollout": 1}}`,
		"two exposures":      `{"version": 1, "epoch": 9, "in_force": {"rollout": 1, "rollout": 1000000}}`,
		"text after the end": `{"version": 1, "epoch": 9, "in_force": {"rollout": 1}} x`,
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flags.state")
			synctest.Test(t, func(t *testing.T) {
				before := live(t, flags.Config{Provider: newBoard(40, 0, false).provider, StateFile: file})
				if err := os.WriteFile(file, []byte(damage), 0o600); err != nil {
					t.Fatal(err)
				}
				log, lines := newLog()
				boot := percent(t, 10)
				got := live(t, flags.Config{Provider: unreachable(), StateFile: file, Boot: &boot, Log: log})
				if got.Exposure() != rollout.None || got.Shadow != rollout.None {
					t.Errorf("policy %+v, want 0%%: the file may have said so", got)
				}
				if got.Epoch <= before.Epoch {
					t.Errorf("epoch %d after %d", got.Epoch, before.Epoch)
				}
				if said := lines.FilterMessageSnippet("the stored flag policy cannot be used").All(); len(said) != 1 ||
					!strings.Contains(said[0].ContextMap()["error"].(string), file) {
					t.Errorf("logged %v, want one line that names the file", said)
				}
				if again := live(t, flags.Config{Provider: unreachable(), StateFile: file, Boot: &boot}); again != got {
					t.Errorf("at the next start %+v, want %+v", again, got)
				}
			})
		})
	}
}

func TestUnreadableStateFileIsNoStateFile(t *testing.T) {
	dir := t.TempDir() // a directory in the file's place cannot be read, even by root
	synctest.Test(t, func(t *testing.T) {
		log, lines := newLog()
		boot := percent(t, 10)
		if got := live(t, flags.Config{Provider: unreachable(), StateFile: dir, Boot: &boot, Log: log}); got.Exposure() != rollout.None {
			t.Errorf("policy %+v", got)
		}
		for _, text := range []string{"the stored flag policy cannot be used", "cannot be kept on disk"} {
			if got := lines.FilterMessageSnippet(text).Len(); got != 1 {
				t.Errorf("%d lines say %q, want 1", got, text)
			}
		}
	})
}

// A disk that fails is tried again, and delays no reading.
func TestStateIsKeptOnceTheDiskIsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	file := filepath.Join(dir, "flags.state")
	synctest.Test(t, func(t *testing.T) {
		log, lines := newLog()
		source := newBoard(40, 0, false)
		r := start(t, flags.Config{Provider: source.provider, StateFile: file, Log: log})
		for range 3 {
			tick()
		}
		source.edit(3, 0, false)
		tick()
		if got := r.Policy().Exposure(); got != percent(t, 3) {
			t.Errorf("exposure %s, want 3%%", got)
		}
		if got := lines.FilterMessageSnippet("cannot be kept on disk").Len(); got != 1 {
			t.Errorf("%d lines tell of the disk, want 1", got)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := lines.FilterMessageSnippet("kept on disk again").Len(); got != 1 {
			t.Errorf("%d lines tell that the disk is back, want 1", got)
		}
		stop(t, r)
		if got := live(t, flags.Config{Provider: unreachable(), StateFile: file}); got != *r.Policy() {
			t.Errorf("restored %+v, want %+v", got, *r.Policy())
		}
	})
}

func TestSavingLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		live(t, flags.Config{Provider: newBoard(40, 0, false).provider, StateFile: filepath.Join(dir, "flags.state")})
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("directory holds %v, %v", entries, err)
		}
	})
}
