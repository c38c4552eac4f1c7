package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/rollout/audit"
)

func act(i int) rollout.Act {
	return rollout.Act{
		Actor: "loopback", Action: "claim-settle", Reason: fmt.Sprintf("Nr. %d: \"grün\" <ok> \x01\n", i),
		Subject: map[string]string{"state": "lost", "doc_id": fmt.Sprintf("doc-%d", i), "life": "7"},
	}
}

func open(t testing.TB, path string) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// written returns the path and the bytes of a log with n entries.
func written(t testing.TB, n int) (string, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, path)
	for i := range n {
		if _, err := l.Append(context.Background(), act(i)); err != nil {
			t.Fatal(err)
		}
	}
	return path, content(t, path)
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The form of a line is a promise: whoever holds an old file can verify it.
func TestTheFormOfALine(t *testing.T) {
	const first = `{"seq":1,"time":"2026-11-24T20:10:01.5Z","actor":"loopback","action":"claim-settle",` +
		`"subject":{"doc_id":"a/b","life":"7"},"reason":"why","prev":"0000000000000000000000000000000000000000000000000000000000000000",` +
		`"hash":"90b5c4e20b10ac7f63b0d3b7a1c8fbb9b6d7c4b0f5d1a0e0c0a4f3b1f0e6a7d2"}` + "\n"
	_, _, err := audit.Verify(strings.NewReader(first))
	var damage *audit.Damage
	if !errors.As(err, &damage) || damage.Line != 1 || !strings.Contains(damage.Why, "hash") {
		t.Errorf("a hash out of the air: %v", err)
	}
	right := strings.Replace(first, "90b5c4e20b10ac7f63b0d3b7a1c8fbb9b6d7c4b0f5d1a0e0c0a4f3b1f0e6a7d2", goldenHash, 1)
	if entries, head, err := audit.Verify(strings.NewReader(right)); err != nil || entries != 1 || head != goldenHash {
		t.Errorf("got %d, %s, %v", entries, head, err)
	}
}

// goldenHash was computed by sha256sum, as the package comment says.
const goldenHash = "db6ebf4d8e7dd8d9bb859f87acbe5b63218f4028c0167219f3e70a619802b99b"

func TestWhatIsAppendedIsReadAfterAReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	var want []rollout.Entry
	for round := range 3 {
		l := open(t, path)
		for i := range 3 {
			e, err := l.Append(context.Background(), act(3*round+i))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, e)
		}
		got, err := l.Read(context.Background(), 0, 100)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: got\n%+v\nwant\n%+v", err, got, want)
		}
		l.Close()
	}
	l := open(t, path)
	for after := range uint64(11) {
		for limit := range 11 {
			got, err := l.Read(context.Background(), after, limit)
			from := min(int(after), len(want))
			to := min(from+limit, len(want))
			if err != nil || len(got) != to-from || (len(got) > 0 && !reflect.DeepEqual(got, want[from:to])) {
				t.Fatalf("after %d, limit %d: %v, %+v", after, limit, err, got)
			}
		}
	}
	if got, err := l.Read(context.Background(), 1<<64-1, 1<<30); err != nil || len(got) > 0 {
		t.Errorf("far after the end: %v, %v", got, err)
	}
}

func TestConcurrentAppendsMakeOneChain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	// Two logs of one file stand for two processes during a restart.
	logs := []*audit.Log{open(t, path), open(t, path)}
	var all sync.WaitGroup
	const writers, each = 8, 10
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if _, err := logs[w%2].Append(context.Background(), act(i)); err != nil {
					t.Error(err)
				}
				if _, err := logs[i%2].Read(context.Background(), 0, 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	entries, _, err := audit.Verify(bytes.NewReader(content(t, path)))
	if err != nil || entries != writers*each {
		t.Errorf("%d entries instead of %d: %v", entries, writers*each, err)
	}
}

// A crash during an append may leave any part of the last line.
func TestATornTailIsCutOffAtEveryByte(t *testing.T) {
	_, whole := written(t, 3)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := last; cut < len(whole); cut++ {
		for _, room := range []int{0, 700} { // bytes that the file system made room for
			if room > 0 && cut%8 > 0 {
				continue
			}
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := os.WriteFile(path, append(whole[:cut:cut], make([]byte, room)...), 0o600); err != nil {
				t.Fatal(err)
			}
			core, logged := observer.New(zapcore.WarnLevel)
			l, err := audit.Open(path, zap.New(core))
			if err != nil {
				t.Fatalf("cut at %d: %v", cut-last, err)
			}
			if wrong := logged.Len() == 0; wrong != (cut == last && room == 0) {
				t.Errorf("cut at %d: logged %v", cut-last, logged.All())
			}
			if !bytes.Equal(content(t, path), whole[:last]) {
				t.Fatalf("cut at %d: the file holds\n%s", cut-last, content(t, path))
			}
			if e, err := l.Append(context.Background(), act(9)); err != nil || e.Seq != 3 {
				t.Fatalf("cut at %d: then %+v, %v", cut-last, e, err)
			}
			if entries, _, err := audit.Verify(bytes.NewReader(content(t, path))); err != nil || entries != 3 {
				t.Fatalf("cut at %d: then %d entries, %v", cut-last, entries, err)
			}
			l.Close()
		}
	}
}

// What another process left half done when it died is seen at the next append.
func TestATornTailOfAnotherProcess(t *testing.T) {
	path, whole := written(t, 1)
	l := open(t, path)
	if err := os.WriteFile(path, append(whole[:len(whole):len(whole)], `{"seq":2,"time":"20`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if e, err := l.Append(context.Background(), act(1)); err != nil || e.Seq != 2 {
		t.Errorf("got %+v, %v", e, err)
	}
	if entries, _, err := audit.Verify(bytes.NewReader(content(t, path))); err != nil || entries != 2 {
		t.Errorf("%d entries: %v", entries, err)
	}
}

func TestWhatDoesNotFitIsRefusedAndLeavesNothing(t *testing.T) {
	path, whole := written(t, 1)
	l := open(t, path)
	long := act(1)
	long.Reason = strings.Repeat("x", 64<<10)
	if _, err := l.Append(context.Background(), long); !errors.Is(err, audit.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	broken := act(1)
	broken.Reason = "\xff"
	if _, err := l.Append(context.Background(), broken); err == nil {
		t.Error("invalid UTF-8 was taken")
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Append(gone, act(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled append: %v", err)
	}
	if !bytes.Equal(content(t, path), whole) {
		t.Error("the file has changed")
	}
	l.Close()
	if _, err := l.Append(context.Background(), act(1)); err == nil {
		t.Error("a closed log took an act")
	}
}

func BenchmarkOpen(b *testing.B) {
	path, text := written(b, 1000)
	entries := bytes.Count(text, []byte("\n"))
	for b.Loop() {
		l, err := audit.Open(path, zap.NewNop())
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(entries), "ns/entry")
}
