package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/rollout/audit"
)

// refused opens the text as an audit file and returns what is wrong with it; nil
// if the file was taken.
func refused(t *testing.T, text []byte) *audit.Damage {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(path, zap.NewNop())
	if err == nil {
		l.Close()
		return nil
	}
	var damage *audit.Damage
	if !errors.As(err, &damage) {
		t.Fatalf("not damage: %v", err)
	}
	if !bytes.Equal(content(t, path), text) {
		t.Fatal("a file that was refused was changed")
	}
	return damage
}

// Each byte of the file, with each of its bits flipped and as some other bytes,
// is found on its own line: by Verify and by Open.
func TestEveryFlippedByteIsFound(t *testing.T) {
	_, whole := written(t, 3)
	for i, b := range whole {
		line := uint64(bytes.Count(whole[:i], []byte("\n")) + 1)
		others := []byte{'\n', ' ', '"', '0', '}', 0xff, byte(rand.Uint32())}
		for bit := range 8 {
			others = append(others, b^1<<bit)
		}
		for _, other := range others {
			if other == b {
				continue
			}
			text := slices.Clone(whole)
			text[i] = other
			_, _, err := audit.Verify(bytes.NewReader(text))
			var damage *audit.Damage
			if !errors.As(err, &damage) || damage.Line != line {
				t.Fatalf("byte %d, %q instead of %q, on line %d: Verify says %v", i, other, b, line, err)
			}
		}
		text := slices.Clone(whole)
		text[i] ^= 1 << (i % 8)
		if damage := refused(t, text); damage == nil || damage.Line != line {
			t.Fatalf("byte %d, %q instead of %q, on line %d: Open says %v", i, text[i], b, line, damage)
		}
	}
	// The last newline, in each form; but 0 is what a crash can leave.
	for other := byte(1); other != 0; other++ {
		text := append(whole[:len(whole)-1:len(whole)-1], other)
		if damage := refused(t, text); (damage == nil) != (other == '\n') {
			t.Fatalf("%q as the last newline: Open says %v", other, damage)
		}
	}
}

func TestLinesRemovedPutInOrMovedAreFound(t *testing.T) {
	_, whole := written(t, 5)
	_, foreign := written(t, 5)
	lines, others := bytes.SplitAfter(whole, []byte("\n"))[:5], bytes.SplitAfter(foreign, []byte("\n"))[:5]
	find := func(name string, changed [][]byte, line uint64) {
		t.Helper()
		text := bytes.Join(changed, nil)
		_, _, err := audit.Verify(bytes.NewReader(text))
		var damage *audit.Damage
		if !errors.As(err, &damage) || damage.Line != line {
			t.Errorf("%s: Verify says %v instead of line %d", name, err, line)
		}
		if damage := refused(t, text); damage == nil || damage.Line != line {
			t.Errorf("%s: Open says %v instead of line %d", name, damage, line)
		}
	}
	for i := range 5 {
		line := uint64(i + 1)
		if i < 4 {
			find("removed", slices.Delete(slices.Clone(lines), i, i+1), line)
			swapped := slices.Clone(lines)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			find("moved", swapped, line)
			// The line is sound, but the next one follows another.
			replaced := slices.Clone(lines)
			replaced[i] = others[i]
			if i == 0 {
				find("the first replaced", replaced, 2)
			} else {
				find("replaced", replaced, line)
			}
		}
		find("doubled", slices.Insert(slices.Clone(lines), i, lines[i]), line+1)
		find("put in", slices.Insert(slices.Clone(lines), i+1, others[i]), line+1)
		find("an empty line", slices.Insert(slices.Clone(lines), i, []byte("\n")), line)
		find("joined", slices.Insert(slices.Clone(lines), i, bytes.TrimSuffix(lines[i], []byte("\n"))), line)
		find("no entry", slices.Insert(slices.Clone(lines), i, []byte("{}\n")), line)
	}
	find("an endless line", append(slices.Clone(lines), bytes.Repeat([]byte("x"), 100<<10)), 6)
	find("an end that no crash leaves", append(slices.Clone(lines), []byte(`{"seq":7,"ti`)), 6)
	find("text at the end", append(slices.Clone(lines), []byte("hello")), 6)
}

// Nobody who has not kept a hash can tell that the end is missing.
func TestACutOffEndIsTheOneThingNotFound(t *testing.T) {
	_, whole := written(t, 3)
	cut := whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1]
	if entries, _, err := audit.Verify(bytes.NewReader(cut)); err != nil || entries != 2 {
		t.Errorf("%d entries, %v", entries, err)
	}
}

func TestChangesUnderAnOpenLogAreFound(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"shortened": func(text []byte) []byte { return text[:len(text)-1] },
		"emptied":   func([]byte) []byte { return nil },
		"a line":    func(text []byte) []byte { return append(text, "{}\n"...) },
		"text":      func(text []byte) []byte { return append(text, "hello"...) },
	} {
		path, whole := written(t, 2)
		l := open(t, path)
		if err := os.WriteFile(path, change(slices.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		var damage *audit.Damage
		if _, err := l.Append(context.Background(), act(1)); !errors.As(err, &damage) {
			t.Errorf("%s: Append says %v", name, err)
		}
		if _, err := l.Read(context.Background(), 0, 10); !errors.As(err, &damage) {
			t.Errorf("%s: Read says %v", name, err)
		}
	}
	path, whole := written(t, 2)
	l := open(t, path)
	for i := range whole {
		text := slices.Clone(whole)
		text[i] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var damage *audit.Damage
		if _, err := l.Read(context.Background(), 0, 10); !errors.As(err, &damage) {
			t.Fatalf("byte %d: Read says %v", i, err)
		}
	}
}

// Whoever forges lines with hashes of their own is found where they do not count
// on, or do not follow.
func TestForgedLinesAreFound(t *testing.T) {
	zeros := strings.Repeat("0", 64)
	forge := func(seq int, prev, more string) (line []byte, hash string) {
		body := fmt.Sprintf(`{"seq":%d,"time":"2026-11-24T20:10:01Z","actor":"a","action":"b","subject":{},"reason":"c","prev":"%s"%s}`, seq, prev, more)
		hash = fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
		return []byte(body[:len(body)-1] + `,"hash":"` + hash + "\"}\n"), hash
	}
	first, head := forge(1, zeros, "")
	second, _ := forge(2, head, "")
	if damage := refused(t, slices.Concat(first, second)); damage != nil {
		t.Fatalf("a sound chain: %v", damage)
	}
	again, _ := forge(1, head, "")
	skipped, _ := forge(3, head, "")
	astray, _ := forge(2, zeros, "")
	more, _ := forge(2, head, `,"more":1`)
	for name, line := range map[string][]byte{"counted twice": again, "one left out": skipped, "on another's": astray, "a member more": more} {
		if damage := refused(t, slices.Concat(first, line)); damage == nil || damage.Line != 2 {
			t.Errorf("%s: Open says %v", name, damage)
		}
	}
}
