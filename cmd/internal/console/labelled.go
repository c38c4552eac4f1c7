package console

import "bytes"

// Labelled returns a writer for one program, whose lines are written with its
// name. It is to be used by one goroutine.
func (c *Console) Labelled(label string) *Labelled { return &Labelled{console: c, label: label} }

// Labelled is a program's way to the console.
type Labelled struct {
	console *Console
	label   string
	rest    []byte // the beginning of a line
}

// Write writes the lines that are whole.
func (l *Labelled) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return len(p), nil
		}
		l.console.Line(l.label, l.rest[:end])
		l.rest = l.rest[end+1:]
	}
}
