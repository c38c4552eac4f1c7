package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/rollout"
)

// A subject's pages are the lines of a file. Ticks go on in a new file after so many
// or so long, and the file before the last one goes: so between half and all of
// 100,000 are kept, or of a day.
const (
	pagesSuffix = ".jsonl"
	tickPages   = "ticks"
	beforeLast  = ".1" // no subject has a digit
	tickCount   = 50_000
	tickTime    = 12 * time.Hour
)

// subject reports whether it can be a file's name.
func subject(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return s != ""
}

func (d *desk) pagesPath(subject string) string { return filepath.Join(d.dir, subject+pagesSuffix) }

// addPages appends the pages to their files, and counts the ticks. It needs mu.
func (d *desk) addPages(pages []rollout.Page, now time.Time) error {
	d.files.Lock()
	defer d.files.Unlock()
	for _, p := range pages {
		if p.Subject == tickPages {
			if err := d.turnTicks(&d.now.Ticks, now); err != nil {
				return err
			}
		}
		if err := appendLine(d.pagesPath(p.Subject), pageLine(p.Body), d.sync); err != nil {
			return err
		}
	}
	return nil
}

// turnTicks counts one more tick, in a new file if it is time for that.
func (d *desk) turnTicks(t *ticks, now time.Time) error {
	if t.Pages >= tickCount || t.Pages > 0 && now.Sub(t.Since) >= tickTime {
		err := os.Rename(d.pagesPath(tickPages), d.pagesPath(tickPages+beforeLast))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		*t = ticks{}
	}
	if t.Pages == 0 {
		t.Since = now
	}
	t.Pages++
	return nil
}

// appendLine adds a line, after it has cut off one that a dying process had begun.
func appendLine(path string, line []byte, sync bool) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	last := []byte{'\n'}
	if size > 0 {
		if _, err := file.ReadAt(last, size-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		_, whole, err := lastLines(file, 0)
		if err != nil {
			return err
		}
		if err := file.Truncate(whole); err != nil {
			return err
		}
		size = whole
	}
	_, err = file.WriteAt(append(line, '\n'), size)
	if sync {
		err = errors.Join(err, file.Sync())
	}
	return err
}

// odd is how the line of a page begins that is no JSON of one line.
const odd = `{"base64":`

// pageLine returns the body as it is, if it is one line of JSON.
func pageLine(body []byte) []byte {
	if json.Valid(body) && !bytes.ContainsAny(body, "\r\n") && !bytes.HasPrefix(body, []byte(odd)) {
		return slices.Clone(body)
	}
	coded, _ := json.Marshal(body) // bytes become base64
	return append(append([]byte(odd), coded...), '}')
}

func pageBody(line []byte) ([]byte, error) {
	if !bytes.HasPrefix(line, []byte(odd)) {
		return line, nil
	}
	var body []byte
	err := json.Unmarshal(line[len(odd):len(line)-1], &body)
	return body, err
}

// Pages returns the newest pages about the subject, at most limit, the newest first.
func (s *Store) Pages(ctx context.Context, about string, limit int) ([]rollout.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !subject(about) {
		return nil, fmt.Errorf("there is no subject %q", about)
	}
	var pages []rollout.Page
	for _, file := range s.desk.openPages(about) {
		lines, _, err := lastLines(file, limit-len(pages))
		for _, line := range lines {
			body, bad := pageBody(line)
			if bad != nil {
				err = fmt.Errorf("a line of %s: %w", file.Name(), bad)
			}
			pages = append(pages, rollout.Page{Subject: about, Body: body})
		}
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// openPages opens the subject's files that are there, the newest first.
func (d *desk) openPages(subject string) (files []*os.File) {
	d.files.Lock()
	defer d.files.Unlock()
	for _, name := range []string{subject, subject + beforeLast} {
		if file, err := os.Open(d.pagesPath(name)); err == nil {
			files = append(files, file)
		}
	}
	return files
}

// lastLines returns the last whole lines of a file, at most limit, the last first,
// and where the last one ends.
func lastLines(file *os.File, limit int) (lines [][]byte, whole int64, err error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	for n := int64(64 << 10); ; n *= 2 {
		n = min(n, size)
		b := make([]byte, n)
		if _, err := file.ReadAt(b, size-n); err != nil && n > 0 {
			return nil, 0, err
		}
		if n < size && bytes.Count(b, []byte{'\n'}) < max(limit, 0)+1 {
			continue
		}
		end := bytes.LastIndexByte(b, '\n') + 1
		whole = size - n + int64(end)
		for b = b[:end]; len(b) > 0 && len(lines) < limit; {
			b = b[:len(b)-1]
			begin := bytes.LastIndexByte(b, '\n') + 1
			lines = append(lines, b[begin:])
			b = b[:begin]
		}
		return lines, whole, nil
	}
}
