package console

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// written is what a console writes while a program works and says so twice.
func written(t *testing.T, terminal bool) string {
	t.Helper()
	var out strings.Builder
	synctest.Test(t, func(*testing.T) {
		c := &Console{out: &out, terminal: terminal}
		program := c.Labelled("gateway")
		c.Status("1 of 3")
		c.Status("1 of 3")
		_, _ = program.Write([]byte("it ser"))
		_, _ = program.Write([]byte("ves\nand"))
		time.Sleep(interval / 2)
		c.Status("2 of 3")
		time.Sleep(interval / 2)
		c.Status("3 of 3")
		c.Status("")
		c.Print("Done.\n")
	})
	return out.String()
}

// On a terminal there is one last line, drawn anew in place, and whatever else is
// written stands above it.
func TestStatusIsTheLastLineOfATerminal(t *testing.T) {
	t.Parallel()
	drawn := func(text string) string { return "\x1b[?7l" + text + "\x1b[?7h" }
	want := "\r\x1b[K" + drawn("1 of 3") +
		"\r\x1b[Kgateway | it serves\n" + drawn("1 of 3") +
		"\r\x1b[K" + drawn("2 of 3") + "\r\x1b[K" + drawn("3 of 3") + "\r\x1b[KDone.\n"
	if got := written(t, true); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Where there is no terminal there are plain lines, of what goes on one in 15
// seconds.
func TestStatusIsALineNowAndThen(t *testing.T) {
	t.Parallel()
	if got, want := written(t, false), "1 of 3\ngateway | it serves\n3 of 3\nDone.\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
