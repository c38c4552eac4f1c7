package validation

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"
)

// ErrChanged says that a line is no longer what it was when the file was opened.
var ErrChanged = errors.New("the file has changed since the validation began: leave it alone until the end")

// Lines is a file of lines, of which only the places are held in memory. It is safe
// for concurrent use.
type Lines struct {
	file *os.File
	sum  string
	at   []place
}

// place is where a line that is not blank stands.
type place struct {
	offset int64
	length int
	number int // from 1, blank lines counted
	sum    uint64
}

// OpenLines reads the file once. It fails if a line is longer than longest bytes.
func OpenLines(name string, longest int) (*Lines, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	l := &Lines{file: file}
	if err := l.index(longest); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return l, nil
}

func (l *Lines) index(longest int) error {
	whole := sha256.New()
	reader := bufio.NewReaderSize(io.TeeReader(l.file, whole), longest+2)
	var offset int64
	for number := 1; ; number++ {
		text, err := reader.ReadSlice('\n')
		line := bytes.TrimRight(text, "\r\n")
		if errors.Is(err, bufio.ErrBufferFull) || len(line) > longest {
			return fmt.Errorf("line %d is longer than %d bytes", number, longest)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			l.at = append(l.at, place{offset, len(line), number, xxhash.Sum64(line)})
		}
		offset += int64(len(text))
		switch {
		case errors.Is(err, io.EOF):
			l.sum = hex.EncodeToString(whole.Sum(nil))
			return nil
		case err != nil:
			return err
		}
	}
}

// Len returns how many lines there are; blank ones do not count.
func (l *Lines) Len() int { return len(l.at) }

// Number returns the number of the line i, from 1, as editors show it.
func (l *Lines) Number(i int) int { return l.at[i].number }

// SHA256 returns the file's digest, hexadecimal.
func (l *Lines) SHA256() string { return l.sum }

// Read returns the line i, from 0. It fails with ErrChanged.
func (l *Lines) Read(i int) ([]byte, error) {
	at := l.at[i]
	text := make([]byte, at.length)
	if _, err := l.file.ReadAt(text, at.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if xxhash.Sum64(text) != at.sum {
		return nil, fmt.Errorf("line %d: %w", at.number, ErrChanged)
	}
	return text, nil
}

// Close closes the file.
func (l *Lines) Close() error { return l.file.Close() }
