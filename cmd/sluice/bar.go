package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"sluice/temporalpath/validation"
)

const (
	barWidth = 30
	// lineInterval is the least time between two lines where there is no terminal.
	lineInterval = 5 * time.Second
)

// bar shows how far a validation is: a bar on a terminal, else a line now and then.
type bar struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	drawn bool      // guarded by mu; the cursor is on the bar's line
	last  string    // guarded by mu
	at    time.Time // guarded by mu; when last was written
}

func newBar(out io.Writer) *bar {
	b := &bar{out: out}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

// show writes what is new.
func (b *bar) show(p validation.Progress, waits error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := fmt.Sprintf("%d of %d requests, %d under way", p.Done, p.Total, p.Running)
	if b.terminal {
		full := barWidth * p.Done / max(1, p.Total)
		fmt.Fprintf(b.out, "\r\x1b[K[%s%s] %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), text)
		b.drawn = true
	}
	if waits != nil {
		text += "; waits: " + printable(waits.Error())
	}
	now := time.Now()
	if text == b.last || now.Sub(b.at) < lineInterval && !b.at.IsZero() || b.terminal && waits == nil {
		return
	}
	b.breakLine()
	fmt.Fprintln(b.out, text)
	b.last, b.at = text, now
}

// end leaves the bar's line.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.breakLine()
}

// breakLine begins a line of its own after the bar. b.mu must be held.
func (b *bar) breakLine() {
	if b.drawn {
		fmt.Fprintln(b.out)
		b.drawn = false
	}
}
