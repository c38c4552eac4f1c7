// Package console lets several programs write to one terminal, line by line, above
// a last line that says what is going on and is drawn anew in place.
package console

import (
	"io"
	"os"
	"sync"
	"time"
)

const (
	// interval is the least time between two lines of what goes on, where there is
	// no terminal.
	interval = 15 * time.Second
	erase    = "\r\x1b[K"
	// A line that is drawn in place is cut at the terminal's right edge, whatever the
	// width: what is wrapped would stay.
	uncut, cut = "\x1b[?7h", "\x1b[?7l"
)

// Console is what is written to. It is safe for concurrent use. That a terminal is
// gone is no reason to stop, so nothing here fails.
type Console struct {
	out      io.Writer
	terminal bool

	mu     sync.Mutex
	status string    // guarded by mu; the last line, empty for none
	at     time.Time // guarded by mu; when a status was last written as a line
}

// New returns the console that writes to out.
func New(out io.Writer) *Console { return &Console{out: out, terminal: IsTerminal(out)} }

// IsTerminal reports whether out is a terminal on which a line can be drawn anew.
func IsTerminal(out io.Writer) bool {
	file, ok := out.(interface{ Stat() (os.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Print writes text, which ends a line.
func (c *Console) Print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.terminal && c.status != "" {
		text = erase + text + cut + c.status + uncut
	}
	_, _ = io.WriteString(c.out, text)
}

// Line writes one line of a program's output.
func (c *Console) Line(label string, text []byte) { c.Print(label + " | " + string(text) + "\n") }

// Status says what is going on: in the last line of a terminal, else as a line now
// and then. Empty takes it away.
func (c *Console) Status(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	same := text == c.status
	c.status = text
	switch now := time.Now(); {
	case same:
	case c.terminal && text == "":
		_, _ = io.WriteString(c.out, erase)
	case c.terminal:
		_, _ = io.WriteString(c.out, erase+cut+text+uncut)
	case text != "" && (c.at.IsZero() || now.Sub(c.at) >= interval):
		c.at = now
		_, _ = io.WriteString(c.out, text+"\n")
	}
}
