package logging

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// gate is an output that takes nothing while it is shut, and fails while it is broken.
type gate struct {
	mu     sync.Mutex
	opened sync.Cond
	shut   bool  // guarded by mu
	broken error // guarded by mu
	part   int   // guarded by mu; what a broken one takes all the same
	text   bytes.Buffer
}

func newGate() *gate {
	g := &gate{}
	g.opened.L = &g.mu
	return g
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut {
		g.opened.Wait()
	}
	if g.broken != nil {
		n, _ := g.text.Write(p[:min(g.part, len(p))])
		return n, g.broken
	}
	return g.text.Write(p)
}

func (g *gate) set(shut bool, broken error, part int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.broken, g.part = shut, broken, part
	g.opened.Broadcast()
}

func (g *gate) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

const patience = 30 * time.Second

func line(t *testing.T, b *Buffer, text string) {
	t.Helper()
	if n, err := fmt.Fprintln(b, text); n != len(text)+1 || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
}

func TestAllLinesComeInOrder(t *testing.T) {
	t.Parallel()
	g := newGate()
	b := newBuffer(g, DefaultLimit, patience)
	var want strings.Builder
	for i := range 10_000 {
		text := fmt.Sprint("line ", i)
		line(t, b, text)
		want.WriteString(text + "\n")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if g.String() != want.String() || b.Dropped() != 0 {
		t.Errorf("lines are missing or in another order; %d dropped", b.Dropped())
	}
}

// An output that stands still holds nobody up. What does not fit is counted, and
// told when it goes on.
func TestStalledOutput(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.set(true, nil, 0)
	b := newBuffer(g, 64, 50*time.Millisecond)
	told := make(chan uint64, 1)
	b.OnLost(func(lines uint64) { line(t, b, fmt.Sprint(lines, " lost")); told <- lines })
	for i := range 100 {
		line(t, b, fmt.Sprintf("line %03d", i)) // 9 bytes each: 7 of them fit
	}
	if got := b.Dropped(); got != 93 {
		t.Errorf("%d lines were dropped, want 93", got)
	}
	if err := b.Sync(); !errors.Is(err, ErrStalled) {
		t.Errorf("Sync of what is not written: %v", err)
	}
	g.set(false, nil, 0)
	select {
	case lines := <-told:
		if lines != 93 {
			t.Errorf("told of %d lines", lines)
		}
	case <-time.After(patience):
		t.Fatal("nobody was told")
	}
	b.flush = patience
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	text := g.String()
	if !strings.HasPrefix(text, "line 000\nline 001\n") || !strings.HasSuffix(text, "line 006\n93 lost\n") {
		t.Errorf("got %q", text)
	}
}

// What cannot be written is lost, counted, and no reason to stop.
func TestBrokenOutput(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.set(false, io.ErrClosedPipe, 3)
	b := newBuffer(g, DefaultLimit, patience)
	line(t, b, "first")
	if err := b.Sync(); err != nil {
		t.Error(err)
	}
	if got := b.Dropped(); got != 1 {
		t.Errorf("%d lines are counted, want 1", got)
	}
	g.set(false, nil, 0)
	line(t, b, "second")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if g.String() != "fir\nsecond\n" {
		t.Errorf("got %q", g)
	}
}

func TestNothingIsTakenAfterClose(t *testing.T) {
	t.Parallel()
	g := newGate()
	b := newBuffer(g, DefaultLimit, patience)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	line(t, b, "late")
	if b.Dropped() != 1 || g.String() != "" {
		t.Errorf("%d dropped, got %q", b.Dropped(), g)
	}
}

func TestLoggerTellsWhatWasLost(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.set(true, nil, 0)
	b := newBuffer(g, 400, patience)
	log, err := Logger(b, "info", false)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		log.Info(strings.Repeat("x", 100))
	}
	g.set(false, nil, 0)
	for end := time.Now().Add(patience); !strings.Contains(g.String(), "were dropped") && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if text := g.String(); !strings.Contains(text, `"level":"warn"`) || !strings.Contains(text, `"lines":`) {
		t.Errorf("got %s", text)
	}
	if _, err := Logger(b, "loud", false); err == nil {
		t.Error("a level that there is not is taken")
	}
}
