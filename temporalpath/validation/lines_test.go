package validation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/temporalpath/validation"
)

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lines")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Blank lines are no lines, and the last one may lack its end.
func TestLines(t *testing.T) {
	t.Parallel()
	const text = "one\n\n  \r\ntwo\r\nthree"
	l, err := validation.OpenLines(write(t, text), 10)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := []struct {
		text   string
		number int
	}{{"one", 1}, {"two", 4}, {"three", 5}}
	if l.Len() != len(want) {
		t.Fatalf("%d lines", l.Len())
	}
	for i, w := range want {
		if text, err := l.Read(i); err != nil || string(text) != w.text || l.Number(i) != w.number {
			t.Errorf("line %d: %q, number %d, %v", i, text, l.Number(i), err)
		}
	}
	if sum := sha256.Sum256([]byte(text)); l.SHA256() != hex.EncodeToString(sum[:]) {
		t.Errorf("digest %s", l.SHA256())
	}
}

func TestLinesTooLong(t *testing.T) {
	t.Parallel()
	if l, err := validation.OpenLines(write(t, "12345678\n"), 8); err != nil || l.Close() != nil {
		t.Error(err)
	}
	if _, err := validation.OpenLines(write(t, "1\n123456789012\n"), 8); err == nil || !strings.Contains(err.Error(), "line 2 is longer than 8 bytes") {
		t.Error(err)
	}
}

// A line that is not what it was is never sent to anyone.
func TestLinesThatChange(t *testing.T) {
	t.Parallel()
	name := write(t, "one\ntwo\n")
	l, err := validation.OpenLines(name, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(name, []byte("one\nTWO\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Read(0); err != nil {
		t.Error(err)
	}
	if _, err := l.Read(1); !errors.Is(err, validation.ErrChanged) || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
}
