package audit

import (
	"context"
	"fmt"
	"io"

	"sluice/rollout"
)

// Read returns up to limit entries that come after the one numbered after, in
// order. It fails with a *Damage if the file was changed meanwhile.
func (l *Log) Read(ctx context.Context, after uint64, limit int) ([]rollout.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	from, length, err := l.part(after, limit)
	if err != nil || length == 0 {
		return nil, err
	}
	// Lines that were verified do not change, so no lock is needed to read them;
	// what was changed all the same is found.
	var entries []rollout.Entry
	c := chain{seq: after}
	_, rest, err := c.follow(io.NewSectionReader(l.file, from, length), func(e rollout.Entry, _ int) {
		entries = append(entries, e)
	})
	if err == nil && len(rest) > 0 {
		err = &Damage{Line: c.seq + 1, Why: "its end was changed"}
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %s: %w", l.path, err)
	}
	return entries, nil
}

// part returns where the entries are, other processes' included.
func (l *Log) part(after uint64, limit int) (from, length int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.locked(func() error { return nil }); err != nil {
		return 0, 0, err
	}
	count := uint64(len(l.starts))
	if after >= count || limit < 1 {
		return 0, 0, nil
	}
	from, end := l.starts[after], l.size
	if last := after + uint64(limit); last < count {
		end = l.starts[last]
	}
	return from, end - from, nil
}
