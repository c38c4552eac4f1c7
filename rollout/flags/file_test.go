package flags_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/rollout/flags"
	"sluice/rollout/flags/file"
)

// definition is a flag whose default variant is v.
func definition(value string) string {
	return `{"state": "ENABLED", "defaultVariant": "v", "variants": {"off": 0, "v": ` + value + `}}`
}

func flagFile(rollout, shadow, kill string) string {
	return fmt.Sprintf("{\"flags\": {\n%q: %s,\n%q: %s,\n%q: %s}}\n", flags.Rollout, rollout, flags.Shadow, shadow, flags.Kill, kill)
}

func values(percent string) string {
	return flagFile(definition(percent), definition("12.5"), definition("false"))
}

// editor changes the flag file in one of the ways in which files change.
type editor struct {
	path string // what the provider follows
	edit func(content string) error
}

func editors(t testing.TB) map[string]editor {
	t.Helper()
	all := map[string]editor{}
	for name, make := range map[string]func(path string) func(string) error{
		"in place":      inPlace,
		"atomic rename": renamed,
		"re-creation":   recreated,
	} {
		path := filepath.Join(t.TempDir(), "flags.json")
		all[name] = editor{path, make(path)}
	}
	volume := t.TempDir()
	all["ConfigMap swap"] = editor{filepath.Join(volume, "flags.json"), configMap(volume)}
	for name, e := range all {
		if err := e.edit(values("10")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return all
}

func inPlace(path string) func(string) error {
	return func(content string) error { return os.WriteFile(path, []byte(content), 0o600) }
}

func renamed(path string) func(string) error {
	return func(content string) error {
		if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	}
}

func recreated(path string) func(string) error {
	return func(content string) error {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
		return os.WriteFile(path, []byte(content), 0o600)
	}
}

// configMap edits as the kubelet does: flags.json -> ..data/flags.json, and
// ..data -> a directory of this generation.
func configMap(volume string) func(string) error {
	generation := 0
	return func(content string) error {
		generation++
		name := fmt.Sprintf("..2025_%d", generation)
		if err := os.Mkdir(filepath.Join(volume, name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(volume, name, "flags.json"), []byte(content), 0o600); err != nil {
			return err
		}
		if err := os.Symlink(name, filepath.Join(volume, "..data_tmp")); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")); err != nil {
			return err
		}
		if generation == 1 {
			return os.Symlink("..data/flags.json", filepath.Join(volume, "flags.json"))
		}
		return os.RemoveAll(filepath.Join(volume, fmt.Sprintf("..2025_%d", generation-1)))
	}
}

func followFile(t testing.TB, path string, cfg flags.Config) *flags.Reader {
	t.Helper()
	provider, err := file.New(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Provider = provider
	return start(t, cfg)
}

// Poll is an hour, so that only the provider's events bring the edits.
func TestFileEditsArrive(t *testing.T) {
	for name, e := range editors(t) {
		t.Run(name, func(t *testing.T) {
			log, lines := newLog()
			r := followFile(t, e.path, flags.Config{Log: log, Poll: time.Hour})
			if got := r.Policy(); got.Flag != percent(t, 10) || got.Shadow != percent(t, 12.5) || got.Kill {
				t.Fatalf("at the start: %+v", got)
			}
			for i := range 20 {
				want := float64(i%3) + 0.5
				if err := e.edit(values(fmt.Sprint(want))); err != nil {
					t.Fatal(err)
				}
				within(t, 5*time.Second, "the edit is in force", func() bool { return r.Policy().Flag == percent(t, want) })
			}
			for _, line := range lines.All() {
				if line.Message != "flag policy changed" {
					t.Errorf("a false alarm: %s %v", line.Message, line.ContextMap())
				}
			}
		})
	}
}

func TestOneFlagIsEditedToZeroAndBackByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	content := values("50")
	if err := inPlace(path)(content); err != nil {
		t.Fatal(err)
	}
	r := followFile(t, path, flags.Config{})
	for _, variant := range []string{"off", "v"} {
		if err := inPlace(path)(strings.Replace(content, `"defaultVariant": "v"`, `"defaultVariant": "`+variant+`"`, 1)); err != nil {
			t.Fatal(err)
		}
		want := map[string]rollout.Exposure{"off": 0, "v": percent(t, 50)}[variant]
		within(t, 5*time.Second, variant, func() bool { return r.Policy().Flag == want })
	}
}

// Every bad edit keeps the last good values, is logged once in words that name
// the file, and is counted by its reason; mended, it is logged once more.
func TestBadFileEditKeepsTheLastGoodValues(t *testing.T) {
	good, shadow, kill := definition("10"), definition("12.5"), definition("false")
	all := flags.Keys()
	cases := map[string]struct {
		content string
		flags   []string
		reason  flags.Reason
		why     string
	}{
		"typo in defaultVariant": {flagFile(strings.Replace(good, `"v"`, `"p11"`, 1), shadow, kill), all[:1], flags.ReasonBroken, `"p11" is none of its variants (off, v)`},
		"kill flag as text":      {flagFile(good, shadow, definition(`"true"`)), all[2:], flags.ReasonWrongType, "must be true or false"},
		"kill flag as a number":  {flagFile(good, shadow, definition("1")), all[2:], flags.ReasonWrongType, "must be true or false"},
		"share as text":          {flagFile(definition(`"50"`), shadow, kill), all[:1], flags.ReasonWrongType, `the string "50"`},
		"above 100":              {flagFile(definition("100.5"), shadow, kill), all[:1], flags.ReasonOutOfRange, "100.5"},
		"below 0":                {flagFile(definition("-1"), shadow, kill), all[:1], flags.ReasonOutOfRange, "-1"},
		"beyond a float":         {flagFile(definition("1e999"), shadow, kill), all[:1], flags.ReasonOutOfRange, "+Inf"},
		"disabled":               {flagFile(strings.Replace(good, "ENABLED", "DISABLED", 1), shadow, kill), all[:1], flags.ReasonDisabled, "the flag is disabled"},
		"kill disabled":          {flagFile(good, shadow, strings.Replace(kill, "ENABLED", "DISABLED", 1)), all[2:], flags.ReasonDisabled, "set it to false"},
		"flag missing":           {`{"flags": {"` + flags.Rollout + `": ` + good + `, "` + flags.Kill + `": ` + kill + `}}`, all[1:2], flags.ReasonMissing, "has no flag " + flags.Shadow},
		"targeting":              {flagFile(good[:len(good)-1]+`, "targeting": {"fractional": []}}`, shadow, kill), all[:1], flags.ReasonBroken, "targeting"},
		"half":                   {values("50")[:200], all, flags.ReasonBroken, "breaks off"},
		"empty":                  {"", all, flags.ReasonBroken, "empty"},
		"YAML":                   {"flags:\n", all, flags.ReasonBroken, "JSON"},
		"duplicate flag":         {strings.Replace(values("50"), flags.Shadow, flags.Rollout, 1), all, flags.ReasonBroken, "duplicate"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "flags.json")
			edit := inPlace(path)
			if err := edit(values("10")); err != nil {
				t.Fatal(err)
			}
			log, lines := newLog()
			seen := &rejects{}
			r := followFile(t, path, flags.Config{Log: log, Observer: seen, Poll: 10 * time.Millisecond})
			before := r.Policy()
			lines.TakeAll()

			if err := edit(c.content); err != nil {
				t.Fatal(err)
			}
			within(t, 5*time.Second, "the mistake is noticed", func() bool { return seen.of(c.flags[0], c.reason) > 3 })
			checkLines(t, lines, c.flags, c.reason, path, c.why)
			if seen.kinds() != len(c.flags) || r.Policy() != before {
				t.Errorf("rejects %v, want %q of %q; policy %+v, want %+v", seen.count, c.reason, c.flags, r.Policy(), before)
			}

			if err := edit(values("11")); err != nil {
				t.Fatal(err)
			}
			within(t, 5*time.Second, "the mended file is in force", func() bool { return r.Policy().Flag == percent(t, 11) })
			// A policy is published first and told of then.
			within(t, 5*time.Second, "one line for each flag tells of the end", func() bool {
				return lines.FilterMessage("the flag can be used again").Len() == len(c.flags)
			})
		})
	}
}

// checkLines wants each of the flags named once: in one line, or in two if the edit
// came in the middle of a reading.
func checkLines(t *testing.T, lines *observer.ObservedLogs, named []string, reason flags.Reason, path, why string) {
	t.Helper()
	got := lines.TakeAll()
	if len(got) == 0 || len(got) > 2 {
		t.Fatalf("logged %v, want one line", got)
	}
	var told []string
	ours := reason == flags.ReasonOutOfRange || reason == flags.ReasonDisabled // told by the reader, which knows no file
	for _, line := range got {
		fields := line.ContextMap()
		text, _ := fields["why"].(string)
		if fields["reason"] != string(reason) || !strings.Contains(text, why) || (!ours && !strings.Contains(text, path)) {
			t.Errorf("logged %v, want %q and %q", fields, reason, why)
		}
		for _, name := range fields["flags"].([]any) {
			told = append(told, name.(string))
		}
	}
	slices.Sort(told)
	if want := slices.Sorted(slices.Values(named)); !slices.Equal(told, want) {
		t.Errorf("the lines name %q, want %q", told, want)
	}
}

func TestBadOtherFlagBlocksNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	content := strings.Replace(values("10"), `{"flags": {`, `{"$schema": "x", "$x": 1, "flags": {"other": {"state": 5, "targeting": [1]}, "more": null,`, 1)
	if err := inPlace(path)(content); err != nil {
		t.Fatal(err)
	}
	seen := &rejects{}
	r := followFile(t, path, flags.Config{Observer: seen})
	if r.Policy().Flag != percent(t, 10) || seen.kinds() != 0 {
		t.Errorf("policy %+v, rejects %v", r.Policy(), seen.count)
	}
}

func TestDeletedFileKeepsThePolicy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	if err := inPlace(path)(values("10")); err != nil {
		t.Fatal(err)
	}
	seen := &rejects{}
	r := followFile(t, path, flags.Config{Observer: seen})
	before := r.Policy()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "the loss is noticed", func() bool { return seen.of(flags.Kill, flags.ReasonUnavailable) > 0 })
	if r.Policy() != before {
		t.Errorf("policy %+v, want %+v", r.Policy(), before)
	}
	if err := inPlace(path)(values("20")); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "the new file is in force", func() bool { return r.Policy().Flag == percent(t, 20) })
}

// One file edit moves the number and the kill together; no reading may see
// half of it, however the edit falls.
func TestNoReadingSeesHalfAFileEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	low := flagFile(definition("1"), definition("0"), definition("false"))
	killed := flagFile(definition("50"), definition("0"), definition("true"))
	edit := renamed(path)
	if err := edit(low); err != nil {
		t.Fatal(err)
	}
	r := followFile(t, path, flags.Config{Poll: time.Microsecond})
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		for _, content := range []string{killed, low} {
			if err := edit(content); err != nil {
				t.Fatal(err)
			}
			for range 60 {
				if got := r.Policy().Exposure(); got > percent(t, 1) {
					t.Fatalf("exposure %s", got)
				}
				time.Sleep(time.Millisecond)
			}
		}
	}
}

// From the end of the edit until the value is in force.
func BenchmarkFileEdit(b *testing.B) {
	for name, e := range editors(b) {
		b.Run(name, func(b *testing.B) {
			r := followFile(b, e.path, flags.Config{})
			var worst time.Duration
			i := 0
			for b.Loop() {
				i++
				b.StopTimer()
				time.Sleep(time.Duration(i*7%50) * time.Millisecond) // anywhere between two polls
				want := float64(i%90) + 1
				if err := e.edit(values(fmt.Sprint(want))); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				began := time.Now()
				for r.Policy().Flag != percent(b, want) {
					time.Sleep(50 * time.Microsecond)
				}
				worst = max(worst, time.Since(began))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
}
