package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/temporalpath/validation"
)

// shown is what a bar writes while a validation of 100 requests does one in a second.
func shown(t *testing.T, terminal bool) (out strings.Builder) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		b := &bar{out: &out, terminal: terminal}
		for done := 40; done <= 60; done += 5 {
			b.show(validation.Progress{Done: done, Total: 100, Running: 5}, nil)
			b.show(validation.Progress{Done: done, Total: 100, Running: 5}, nil)
			time.Sleep(5 * time.Second)
		}
		b.show(validation.Progress{Done: 60, Total: 100, Running: 5}, errors.New("legacy is\x1b[2J away"))
		time.Sleep(time.Second)
		b.show(validation.Progress{Done: 100, Total: 100}, nil)
		b.end()
	})
	return out
}

// On a terminal there is one line, drawn anew only when something is new, and never
// wider than the terminal; what it waits for gets a line of its own.
func TestBarOnATerminal(t *testing.T) {
	t.Parallel()
	out := shown(t, true)
	text := out.String()
	contains(t, "the bar", text,
		"\r\x1b[K\x1b[?7l[============                  ] 40 of 100 requests, 5 under way\x1b[?7h"+
			"\r\x1b[K\x1b[?7l[=============                 ] 45 of 100 requests, 5 under way, 55s left\x1b[?7h",
		"60 of 100 requests, 5 under way, 50s left\x1b[?7h\n60 of 100 requests, 5 under way; waits: \"legacy is\\x1b[2J away\"\n",
		"[==============================] 100 of 100 requests, 0 under way\x1b[?7h\n")
	if n := strings.Count(text, "\n"); n != 3 {
		t.Errorf("%d lines: %q", n, text)
	}
}

// Where there is no terminal there are plain lines, one in five seconds.
func TestBarInAFile(t *testing.T) {
	t.Parallel()
	out := shown(t, false)
	text := out.String()
	want := "40 of 100 requests, 5 under way\n45 of 100 requests, 5 under way\n50 of 100 requests, 5 under way\n" +
		"55 of 100 requests, 5 under way\n60 of 100 requests, 5 under way\n" +
		"60 of 100 requests, 5 under way; waits: \"legacy is\\x1b[2J away\"\n" +
		"100 of 100 requests, 0 under way\n"
	if text != want {
		t.Errorf("got  %q\nwant %q", text, want)
	}
}
