package layout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestADirectoryIsBroughtForwardOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		if err := Bring(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		if s, err := read(dir); err != nil || s != (stamp{Number(), Least()}) {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

func TestWhoIsTooOldChangesNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"layout":100,"least":100}`: "run the newer build",
		`{"layout":100,"least":2}`:   "",
		`{"layout":0}`:               "says no layout",
		``:                           "says no layout",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{Check(dir), Bring(t.Context(), dir)} {
			if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", text, err, want)
			}
			if errors.Is(err, ErrNewer) != strings.Contains(want, "newer") {
				t.Errorf("%s: %v", text, err)
			}
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != text {
			t.Errorf("%s became %s, %v", text, now, err)
		}
	}
}

// Nothing is changed under a gateway that has not left yet.
func TestStepsWaitForTheOneBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, err := os.Create(filepath.Join(dir, "away.log"))
	if err == nil {
		err = syscall.Flock(int(held.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := Bring(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
		t.Error("it is brought forward")
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Bring(t.Context(), dir); err != nil {
		t.Error(err)
	}
}
