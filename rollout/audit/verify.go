package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/rollout"
)

// Damage is where a chain stops being one.
type Damage struct {
	// Line is which, from 1.
	Line uint64
	// Why says what is wrong with it.
	Why string
}

// Error names the line.
func (d *Damage) Error() string { return fmt.Sprintf("line %d: %s", d.Line, d.Why) }

// Verify recomputes a whole chain, and returns the number of its entries and the
// hash of the last. It fails with a *Damage. That entries were cut off the end
// nobody can tell who has not kept a later hash; gateways log it at each start.
func Verify(r io.Reader) (entries uint64, head string, err error) {
	c := chain{hash: genesis}
	_, rest, err := c.follow(r, func(rollout.Entry, int) {})
	if err == nil && len(rest) > 0 {
		err = &Damage{Line: c.seq + 1, Why: "it is not complete"}
	}
	return c.seq, c.hash, err
}

// follow accepts line after line and shows each to visit, with its length. It
// returns the length of all that it accepted, and what stands after the last
// newline. It fails with a *Damage, or because r does.
func (c *chain) follow(r io.Reader, visit func(rollout.Entry, int)) (accepted int64, rest []byte, err error) {
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF):
			return accepted, line, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return accepted, nil, &Damage{Line: c.seq + 1, Why: "it is longer than any entry"}
		case err != nil:
			return accepted, nil, err
		}
		number := c.seq + 1
		e, err := c.accept(line[:len(line)-1])
		if err != nil {
			return accepted, nil, &Damage{Line: number, Why: err.Error()}
		}
		accepted += int64(len(line))
		visit(e, len(line))
	}
}

// torn reports whether rest, which no newline ends, is what a crash leaves of the
// next entry. A line that was whole once and lost its newline to something else
// is not: that is damage.
func (c chain) torn(rest []byte) bool {
	// A file system may have made room for bytes that never came.
	rest = bytes.TrimRight(rest, "\x00")
	start := fmt.Appendf(nil, `{"seq":%d,`, c.seq+1)
	if n := min(len(start), len(rest)); !bytes.Equal(rest[:n], start[:n]) {
		return false
	}
	if _, err := c.accept(rest); err == nil {
		return true // all but the newline
	}
	_, err := jsontext.NewDecoder(bytes.NewReader(rest)).ReadValue()
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
