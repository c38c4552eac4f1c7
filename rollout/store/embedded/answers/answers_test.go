package answers_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded/answers"
	"sluice/rollout/store/storetest"
)

func open(t testing.TB, c answers.Config) *answers.Store {
	t.Helper()
	s, err := answers.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAnswers(t *testing.T) {
	for name, base := range map[string]answers.Config{
		"usual":          {},
		"small segments": {Budget: 16 << 20},
		"sync":           {Sync: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.RunAnswers(t, func(t *testing.T) storetest.OpenAnswers {
				dir := t.TempDir()
				return func(t *testing.T, keep time.Duration) storetest.Answers {
					c := base
					c.Dir, c.Keep = dir, keep
					return open(t, c)
				}
			})
		})
	}
}

func key(i int) rollout.AnswerKey {
	return rollout.AnswerKey{DocID: "doc", Intent: "k", Life: uint64(i)}
}

func body(i int) string { return fmt.Sprintf("answer %d", i) }

func keep(t testing.TB, s *answers.Store, i int) {
	t.Helper()
	if err := s.KeepAnswer(t.Context(), key(i), &rollout.Answer{Status: 200, Body: []byte(body(i))}); err != nil {
		t.Fatal(err)
	}
}

// kept reports whether the answer is there; if it is, it must be the one.
func kept(t testing.TB, s *answers.Store, i int) bool {
	t.Helper()
	answer, found, err := s.KeptAnswer(t.Context(), key(i))
	if err != nil || found && string(answer.Body) != body(i) {
		t.Fatalf("answer %d: %q, %v", i, answer.Body, err)
	}
	return found
}

func files(t testing.TB, dir string) (paths []string, bytes int64) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	return paths, bytes
}

// A file that ends anywhere, or goes on with anything, gives what was whole.
func TestCutAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	s := open(t, answers.Config{Dir: dir, Keep: time.Hour})
	for i := range 3 {
		keep(t, s, i)
	}
	s.Close()
	paths, size := files(t, dir)
	whole, err := os.ReadFile(paths[0])
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	each := int(size) / 3
	for n := range len(whole) + 1 {
		for _, tail := range [][]byte{nil, make([]byte, 100), slices.Repeat([]byte{0xff}, 100)} {
			if err := os.WriteFile(paths[0], append(slices.Clone(whole[:n]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, answers.Config{Dir: dir, Keep: time.Hour})
			for i := range 3 {
				if got, want := kept(t, s, i), n >= (i+1)*each; got != want {
					t.Fatalf("cut at %d of %d: answer %d is there: %v", n, len(whole), i, got)
				}
			}
			s.Close()
		}
	}
}

// After a time without requests nothing is left on the disk.
func TestDiskIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, answers.Config{Dir: dir, Keep: 200 * time.Millisecond})
	for i := range 1000 {
		keep(t, s, i)
	}
	if _, bytes := files(t, dir); bytes == 0 {
		t.Fatal("nothing is on the disk")
	}
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		paths, _ := files(t, dir)
		if len(paths) == 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("%v are still there", paths)
		}
	}
}

// An answer is there for as long as it is to be kept, however many files came
// and went.
func TestAnswersAreKeptLongEnough(t *testing.T) {
	s := open(t, answers.Config{Dir: t.TempDir(), Keep: time.Second})
	var asked []time.Time // before each was stored
	for began := time.Now(); time.Since(began) < 2*time.Second; time.Sleep(10 * time.Millisecond) {
		asked = append(asked, time.Now())
		keep(t, s, len(asked)-1)
		for i := range asked {
			if !kept(t, s, i) && time.Since(asked[i]) < 900*time.Millisecond {
				t.Fatalf("answer %d is gone", i)
			}
		}
	}
	if kept(t, s, 0) {
		t.Error("nothing is ever forgotten")
	}
}

// Too many bytes, or too many answers: the oldest go.
func TestBudget(t *testing.T) {
	for name, c := range map[string]answers.Config{
		"bytes": {Budget: 16 << 10},
		"count": {Budget: 64 << 10, Most: 200},
	} {
		t.Run(name, func(t *testing.T) {
			c.Dir, c.Keep = t.TempDir(), time.Hour
			s := open(t, c)
			for i := range 2000 {
				keep(t, s, i)
				if !kept(t, s, i) {
					t.Fatalf("the newest answer, %d, is not there", i)
				}
			}
			n := 0
			for i := range 2000 {
				if kept(t, s, i) {
					n++
				}
			}
			if _, bytes := files(t, c.Dir); bytes > c.Budget || c.Most > 0 && n > c.Most {
				t.Errorf("%d answers in %d bytes", n, bytes)
			}
			if n < 100 || kept(t, s, 0) {
				t.Errorf("%d answers are left", n)
			}
			if err := s.KeepAnswer(t.Context(), key(1), &rollout.Answer{Body: make([]byte, c.Budget)}); err == nil {
				t.Error("an answer larger than the budget is kept")
			}
		})
	}
}
