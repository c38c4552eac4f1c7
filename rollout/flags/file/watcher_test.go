package file_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout/flags/file"
)

// long ago, so that nothing but its identity tells an edit; time in a bubble
// begins in the year 2000.
var longAgo = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

func flagFile(value string) string {
	return `{"flags": {"share": {"state": "ENABLED", "defaultVariant": "v", "variants": {"v": ` + value + `}}}}`
}

func age(t *testing.T, path string) {
	t.Helper()
	if err := os.Chtimes(path, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
}

// polls lets the provider look n times.
func polls(n int) {
	time.Sleep(time.Duration(n) * file.Interval)
	synctest.Wait()
}

func expect(t *testing.T, p *file.Provider, when string, want float64) {
	t.Helper()
	if got := share(p); got.Value != want || got.Error() != nil {
		t.Errorf("%s: %v, %v; want %v", when, got.Value, got.Error(), want)
	}
}

func expectFault(t *testing.T, p *file.Provider, when string, want openfeature.ErrorCode) {
	t.Helper()
	if got := share(p).ResolutionDetail().ErrorCode; got != want {
		t.Errorf("%s: %q, want %s", when, got, want)
	}
}

func TestHalfWrittenFileIsNoAlarm(t *testing.T) {
	whole := flagFile("20")
	for _, length := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		path := filepath.Join(t.TempDir(), "flags.json")
		synctest.Test(t, func(t *testing.T) {
			p := open(t, path, flagFile("10"))
			write(t, path, whole[:length])
			for range file.Patience - 1 {
				polls(1)
				expect(t, p, "while it is written", 10)
			}
			write(t, path, whole)
			polls(1)
			expect(t, p, "once it is written", 20)
		})
	}
}

func TestBrokenFileIsReportedAndRecovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, flagFile("10"))
		polls(1)
		drain(p)
		write(t, path, "{")
		polls(file.Patience)
		expectFault(t, p, "broken for long", openfeature.ParseErrorCode)
		polls(100)
		if got := drain(p); got != 1 {
			t.Errorf("%d events, want 1: the fault is told once", got)
		}
		write(t, path, flagFile("10"))
		polls(1)
		expect(t, p, "mended", 10)
		if got := drain(p); got != 1 {
			t.Errorf("%d events, want 1", got)
		}
	})
}

func TestUndoneMistakeIsNoAlarm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, flagFile("10"))
		for range 20 {
			write(t, path, "{")
			polls(file.Patience - 1)
			write(t, path, flagFile("10"))
			polls(1)
			expect(t, p, "undone", 10)
		}
	})
}

func TestDeletedFileKeepsItsFlagsForAWhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, flagFile("10"))
		for _, again := range []string{"20", "20", "30"} { // the same content must be seen too
			before := share(p).Value
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			polls(file.Patience - 1)
			expect(t, p, "just deleted", before)
			polls(1)
			expectFault(t, p, "deleted", openfeature.GeneralCode)
			polls(100)
			write(t, path, flagFile(again))
			polls(1)
			expect(t, p, "made again", map[string]float64{"20": 20, "30": 30}[again])
		}
	})
}

func TestEditsAreSeenByIdentity(t *testing.T) {
	edits := map[string]func(t *testing.T, path string){
		"in place, other size": func(t *testing.T, path string) {
			write(t, path, flagFile("20.0"))
			age(t, path)
		},
		"in place, other time": func(t *testing.T, path string) {
			write(t, path, flagFile("20"))
			later := longAgo.Add(time.Nanosecond)
			if err := os.Chtimes(path, later, later); err != nil {
				t.Fatal(err)
			}
		},
		"renamed over, same size and time": func(t *testing.T, path string) {
			write(t, path+".new", flagFile("20"))
			age(t, path+".new")
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		},
		"symlink swapped, same size and time": func(t *testing.T, path string) {
			write(t, path+".other", flagFile("20"))
			age(t, path+".other")
			if err := os.Symlink(path+".other", path+".link"); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".link", path); err != nil {
				t.Fatal(err)
			}
		},
		"in place, same size, time not yet old": func(t *testing.T, path string) {
			write(t, path, flagFile("20"))
			now := time.Now().Add(-time.Second)
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
			polls(1)
			write(t, path, flagFile("30"))
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
			polls(1)
			write(t, path, flagFile("20"))
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flags.json")
			synctest.Test(t, func(t *testing.T) {
				write(t, path, flagFile("10"))
				age(t, path)
				p := follow(t, path)
				polls(2)
				edit(t, path)
				polls(1)
				expect(t, p, "edited", 20)
			})
		})
	}
}

// The edit hides: same inode, size and time.
func TestHiddenEditIsSeenWithinASecond(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		write(t, path, flagFile("10"))
		age(t, path)
		p := follow(t, path)
		polls(3)
		write(t, path, flagFile("20"))
		age(t, path)
		polls(file.Reread)
		expect(t, p, "hidden edit", 20)
	})
}

func TestFileSystemThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	write(t, path, flagFile("10"))
	synctest.Test(t, func(t *testing.T) {
		p, err := file.New(path)
		if err != nil {
			t.Fatal(err)
		}
		hanging, release := make(chan bool, 1), make(chan struct{})
		p.SetStat(func(path string) (fs.FileInfo, error) {
			select {
			case <-hanging:
				<-release
			default:
			}
			return os.Stat(path)
		})
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		defer p.Shutdown()
		hanging <- true
		time.Sleep(file.Hung - time.Second)
		expect(t, p, "for some seconds", 10)
		time.Sleep(2 * time.Second)
		expectFault(t, p, "for long", openfeature.GeneralCode)
		if got := share(p).ResolutionDetail().ErrorMessage; !strings.Contains(got, "has not answered for") {
			t.Errorf("message %q", got)
		}
		close(release)
		polls(1)
		expect(t, p, "released", 10)
	})
}

func TestLifeCycle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p, err := file.New(path)
		if err != nil {
			t.Fatal(err)
		}
		expectFault(t, p, "before Init", openfeature.ProviderNotReadyCode)
		write(t, path, flagFile("10"))
		for range 2 {
			if err := p.Init(openfeature.EvaluationContext{}); err != nil {
				t.Error(err)
			}
		}
		p.Shutdown()
		p.Shutdown()
		if err := p.Init(openfeature.EvaluationContext{}); err == nil {
			t.Error("a provider that was shut down starts again")
		}
		never, err := file.New(path)
		if err != nil {
			t.Fatal(err)
		}
		never.Shutdown()
	})
}

// drain counts the events that wait.
func drain(p *file.Provider) (n int) {
	for {
		select {
		case <-p.EventChannel():
			n++
		default:
			return n
		}
	}
}

func BenchmarkPollOfAnUnchangedFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "flags.json")
	write(b, path, flagd)
	if err := os.Chtimes(path, longAgo, longAgo); err != nil {
		b.Fatal(err)
	}
	p := file.NewPolled(path)
	b.ReportAllocs()
	for b.Loop() {
		p.Poll()
	}
}
