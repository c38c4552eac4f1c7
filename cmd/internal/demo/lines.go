package demo

import (
	"bytes"
	"io"
	"sync"
)

// console lets several processes write to one terminal, line by line.
type console struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu
}

func (c *console) line(label string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A terminal that is gone is no reason to stop.
	_, _ = io.WriteString(c.out, label+" | "+string(text)+"\n")
}

// labelled is a writer for one process. It is used by one goroutine.
type labelled struct {
	console *console
	label   string
	rest    []byte // the beginning of a line
}

func (l *labelled) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		l.console.line(l.label, l.rest[:end])
		l.rest = l.rest[end+1:]
	}
}
