package notes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"sluice/rollout"
)

// album is a subject's samples, from the oldest to the newest.
type album struct {
	dir     string
	numbers []uint64
	sizes   []int64
	next    uint64
}

// album reads the subject's. d.mu must be held.
func (d *Dir) album(subject string) (*album, error) {
	if a := d.samples[subject]; a != nil {
		return a, nil
	}
	if !plain(subject) {
		return nil, fmt.Errorf("samples of %q have no directory", subject)
	}
	a := &album{dir: filepath.Join(d.path, subject, "samples"), next: 1}
	files, err := os.ReadDir(a.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, file := range files {
		if n, err := strconv.ParseUint(file.Name(), 10, 64); err == nil {
			a.numbers = append(a.numbers, n)
		}
	}
	slices.Sort(a.numbers)
	for _, n := range a.numbers {
		info, err := os.Stat(a.path(n))
		if err != nil {
			return nil, err
		}
		a.sizes = append(a.sizes, info.Size())
		a.next = n + 1
	}
	d.samples[subject] = a
	return a, nil
}

func (a *album) path(n uint64) string { return filepath.Join(a.dir, strconv.FormatUint(n, 10)) }

// KeepSample adds a sample of the subject, and drops the oldest beyond keep.
func (d *Dir) KeepSample(ctx context.Context, subject string, body []byte, keep rollout.Keep) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, err := d.album(subject)
	if err != nil {
		return err
	}
	if err := replace(ctx, a.path(a.next), body); err != nil {
		return err
	}
	a.numbers, a.sizes = append(a.numbers, a.next), append(a.sizes, int64(len(body)))
	a.next++
	for range keep.Excess(a.sizes) {
		if err := os.Remove(a.path(a.numbers[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		a.numbers, a.sizes = slices.Delete(a.numbers, 0, 1), slices.Delete(a.sizes, 0, 1)
	}
	return nil
}

// Samples returns the newest samples of the subject, at most limit, the newest
// first.
func (d *Dir) Samples(ctx context.Context, subject string, limit int) ([][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a, err := d.album(subject)
	if err != nil {
		return nil, err
	}
	var newest [][]byte
	for _, n := range slices.Backward(a.numbers) {
		if len(newest) == limit {
			break
		}
		body, err := os.ReadFile(a.path(n))
		if err != nil {
			return nil, err
		}
		newest = append(newest, body)
	}
	return newest, nil
}
