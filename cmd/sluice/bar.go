package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"sluice/cmd/internal/console"
	"sluice/temporalpath/validation"
)

const (
	barWidth = 30
	// lineInterval is the least time between two lines where there is no terminal.
	lineInterval = 5 * time.Second
	// drawing is how a terminal draws the bar anew: from the line's begin, cut at its
	// right edge whatever the width, or what is wrapped would stay.
	drawing = "\r\x1b[K\x1b[?7l%s\x1b[?7h"
)

// bar shows how far a validation is: a bar on a terminal, else a line now and then.
type bar struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	drawn string    // guarded by mu; the bar that the cursor is on, if it is on one
	last  string    // guarded by mu; the last line
	at    time.Time // guarded by mu; when last was written
	begun time.Time // guarded by mu; when it was first told how far it is,
	from  int       // guarded by mu; and how far it was then
}

func newBar(out io.Writer) *bar {
	return &bar{out: out, terminal: console.IsTerminal(out)}
}

// show writes what is new.
func (b *bar) show(p validation.Progress, waits error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.begun.IsZero() {
		b.begun, b.from = now, p.Done
	}
	text := fmt.Sprintf("%d of %d requests, %d under way", p.Done, p.Total, p.Running)
	b.draw(p, text+b.left(p, now))
	if waits != nil {
		text += "; waits: " + printable(waits.Error())
	}
	soon := now.Sub(b.at) < lineInterval && p.Done < p.Total
	if text == b.last || soon || b.terminal && waits == nil {
		return
	}
	b.breakLine()
	fmt.Fprintln(b.out, text)
	b.last, b.at = text, now
}

// draw draws the bar if that is another one. b.mu must be held.
func (b *bar) draw(p validation.Progress, text string) {
	full := min(barWidth, barWidth*p.Done/max(1, p.Total))
	text = fmt.Sprintf("[%s%s] %s", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), text)
	if b.terminal && text != b.drawn {
		fmt.Fprintf(b.out, drawing, text)
		b.drawn = text
	}
}

// left says how long it will take at the pace of this process, once that is known. b.mu
// must be held.
func (b *bar) left(p validation.Progress, now time.Time) string {
	took, done := now.Sub(b.begun), p.Done-b.from
	if took < lineInterval || done < 1 || p.Done >= p.Total {
		return ""
	}
	left := time.Duration(float64(took) / float64(done) * float64(p.Total-p.Done))
	if left > time.Minute {
		return fmt.Sprintf(", %s left", strings.TrimSuffix(left.Round(time.Minute).String(), "0s"))
	}
	return fmt.Sprintf(", %v left", left.Round(time.Second))
}

// end leaves the bar's line.
func (b *bar) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.breakLine()
}

// breakLine begins a line of its own after the bar. b.mu must be held.
func (b *bar) breakLine() {
	if b.drawn != "" {
		fmt.Fprintln(b.out)
		b.drawn = ""
	}
}
