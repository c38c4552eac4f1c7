package errands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
)

func errand(n int) rollout.Errand {
	return rollout.Errand{
		DocID: fmt.Sprintf("doc \"%d\"\n", n), Intent: "d0123456789abcdef0123456789abcdef", Digest: [16]byte{byte(n), 2},
		Route: "documents", Owner: "a", Began: time.UnixMicro(1_700_000_000_000_000 + int64(n)),
	}
}

func open(t *testing.T, path, owner string) (*Log, Left) {
	t.Helper()
	l, left, err := Open(t.Context(), path, owner)
	if err != nil {
		t.Fatal(err)
	}
	return l, left
}

// What began before a kill is there afterwards, and what ended. The file is read as
// it is: nothing is flushed or closed before.
func TestErrandsOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "away.log")
	l, left := open(t, path, "a")
	if len(left.Errands)+len(left.Owners) > 0 {
		t.Errorf("a new file holds %+v", left)
	}
	ended := time.UnixMicro(1_700_000_009_000_000)
	want := []rollout.Errand{errand(1), errand(2), errand(3)}
	for i := range want {
		id, err := l.Begin(want[i])
		if err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			want[i].Ended, want[i].Answered = ended, i == 0
			if err := l.End(id, want[i].Answered, ended); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(text); cut > len(text)-80; cut-- { // the third one's line is longer
		copied := filepath.Join(t.TempDir(), "away.log")
		if err := os.WriteFile(copied, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again, left := open(t, copied, "b")
		if !reflect.DeepEqual(left.Errands, want[:2+cut/len(text)]) || !slices.Equal(left.Owners, []string{"a"}) {
			t.Fatalf("cut at %d of %d: %+v, want %+v", cut, len(text), left, want)
		}
		if id, err := again.Begin(errand(9)); err != nil || id <= 2 {
			t.Fatalf("number %d, %v", id, err)
		}
		again.Close()
		if _, left := open(t, copied, "c"); !slices.Equal(left.Owners, []string{"a", "b"}) || left.Errands[len(left.Errands)-1].Owner != "b" {
			t.Fatalf("%+v", left)
		}
	}
}

func TestClearLeavesTheOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "away.log")
	l, _ := open(t, path, "a")
	if _, err := l.Begin(errand(1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, left := open(t, path, "b"); len(left.Errands) > 0 || !slices.Equal(left.Owners, []string{"a"}) {
		t.Errorf("%+v", left)
	}
}

// After another boot, or with lines that cannot be read, errands may be missing: the
// owners' pledges have to end by themselves.
func TestAfterALossOfPowerNobodyIsSucceeded(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(string) string{
		"another boot": func(text string) string { return strings.Replace(text, bootID(), "00000000", 1) },
		"zeros":        func(text string) string { return text + strings.Repeat("\x00", 100) + "\n" },
		"a hole":       func(text string) string { return strings.Replace(text, `"intent"`, `"in`, 1) },
		"an end alone": func(text string) string { return text + `{"id":77,"ended":1}` + "\n" },
	} {
		path := filepath.Join(t.TempDir(), "away.log")
		l, _ := open(t, path, "a")
		for n := range 2 {
			if _, err := l.Begin(errand(n)); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(harm(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, left := open(t, path, "b"); len(left.Owners) > 0 || len(left.Errands) == 0 {
			t.Errorf("%s: %+v", name, left)
		}
	}
}

func TestFullFileTakesEndsOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "away.log")
	l, _ := open(t, path, "a")
	l.max = 1000
	var last uint64
	for n := 0; ; n++ {
		id, err := l.Begin(errand(n))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 100 {
			t.Fatal(n, err)
		}
		last = id
	}
	if err := l.End(last, true, time.Now()); err != nil {
		t.Error(err)
	}
	if err := l.Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(errand(1)); err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestOneProcessHasTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "away.log")
	l, _ := open(t, path, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := Open(ctx, path, "b"); err == nil {
		t.Fatal("two have it")
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, _, err := Open(t.Context(), path, "b"); err != nil {
			t.Error(err)
		}
	})
	l.Close()
	waiting.Wait()
}

func BenchmarkErrand(b *testing.B) {
	l, _, err := Open(b.Context(), filepath.Join(b.TempDir(), "away.log"), "a")
	if err != nil {
		b.Fatal(err)
	}
	l.max = 1 << 40
	for n := 0; b.Loop(); n++ {
		id, err := l.Begin(errand(n))
		if err == nil {
			err = l.End(id, true, time.Now())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
