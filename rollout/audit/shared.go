package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Table keeps the lines of one chain that several gateways add to.
type Table interface {
	// AppendLine adds line number seq, with its hash, if line seq-1 is the last and
	// has the hash prev, or if seq is 1 and there is none. It reports whether it
	// did, which is then durable. After an error nobody knows.
	AppendLine(ctx context.Context, seq uint64, prev, hash string, line []byte) (added bool, err error)
	// Lines returns up to limit lines after the one numbered after, in order, each
	// with its newline.
	Lines(ctx context.Context, after uint64, limit int) ([][]byte, error)
}

// ErrContended says that others kept adding to the chain.
var ErrContended = errors.New("others keep adding to the audit: try again")

const (
	// sharedTries is how often one act is sealed anew because another came first.
	sharedTries = 50
	// sharedPage is how many lines are read at once.
	sharedPage = 500
)

// Shared is one chain in a table that several gateways share. Its lines are those
// of a file, to the byte: so Verify reads them too.
//
// An act is sealed onto the last line that this gateway has verified, and added
// only if that is still the last one. Otherwise what others added is verified
// first. A damaged chain takes nothing more.
type Shared struct {
	table Table
	log   *zap.Logger

	mu       sync.Mutex
	head     chain // guarded by mu; all up to here was verified
	verified bool  // guarded by mu; the whole chain was, once
}

// NewShared returns the chain in the table. The table need not be there yet: the
// chain is verified when it is used first.
func NewShared(table Table, log *zap.Logger) *Shared {
	return &Shared{table: table, log: log, head: chain{hash: genesis}}
}

// Append puts the act on record and returns its entry once that is durable. It
// fails with a *Damage, with ErrTooLong or ErrContended, or because the table does;
// then the entry may be there all the same: the record may hold an act too many,
// never one too few.
func (s *Shared) Append(ctx context.Context, act rollout.Act) (rollout.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range sharedTries {
		if err := s.catchUp(ctx); err != nil {
			return rollout.Entry{}, fmt.Errorf("audit: %w", err)
		}
		entry, line, err := s.head.seal(act, time.Now())
		if err != nil {
			return rollout.Entry{}, err
		}
		added, err := s.table.AppendLine(ctx, entry.Seq, entry.Prev, entry.Hash, line)
		if err != nil {
			return rollout.Entry{}, fmt.Errorf("audit: %w", err)
		}
		if added {
			s.head = chain{seq: entry.Seq, hash: entry.Hash}
			return entry, nil
		}
	}
	return rollout.Entry{}, ErrContended
}

// catchUp verifies what was added since. s.mu is held.
func (s *Shared) catchUp(ctx context.Context) error {
	if err := s.unchanged(ctx); err != nil {
		return err
	}
	for {
		lines, err := s.table.Lines(ctx, s.head.seq, sharedPage)
		if err != nil {
			return err
		}
		next := s.head
		if err := next.acceptAll(lines, func(rollout.Entry) {}); err != nil {
			return err
		}
		if s.head = next; len(lines) < sharedPage {
			break
		}
	}
	if !s.verified {
		s.verified = true
		s.log.Info("the audit fits together", zap.Uint64("entries", s.head.seq), zap.String("head", s.head.hash))
	}
	return nil
}

// unchanged makes sure that the last line that was verified is still there: what
// others add is sealed onto it. s.mu is held.
func (s *Shared) unchanged(ctx context.Context) error {
	if s.head.seq == 0 {
		return nil
	}
	lines, err := s.table.Lines(ctx, s.head.seq-1, 1)
	if err != nil {
		return err
	}
	before := chain{seq: s.head.seq - 1}
	if err := before.acceptAll(lines, func(rollout.Entry) {}); err != nil {
		return err
	}
	if before != s.head {
		return &Damage{Line: s.head.seq, Why: "it is gone, or was replaced, while it was in use"}
	}
	return nil
}

// acceptAll adds the lines, and shows each entry to visit. It fails with a *Damage.
func (c *chain) acceptAll(lines [][]byte, visit func(rollout.Entry)) error {
	for _, line := range lines {
		body, ended := bytes.CutSuffix(line, []byte("\n"))
		number := c.seq + 1
		if !ended || len(line) > maxLine {
			return &Damage{Line: number, Why: "it is not a whole line"}
		}
		e, err := c.accept(body)
		if err != nil {
			return &Damage{Line: number, Why: err.Error()}
		}
		visit(e)
	}
	return nil
}

// Read returns up to limit entries after the one numbered after, in order. It fails
// with a *Damage if they are not a part of a chain.
func (s *Shared) Read(ctx context.Context, after uint64, limit int) ([]rollout.Entry, error) {
	lines, err := s.table.Lines(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var entries []rollout.Entry
	c := chain{seq: after}
	if err := c.acceptAll(lines, func(e rollout.Entry) { entries = append(entries, e) }); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return entries, nil
}

// Export writes all lines, as a file has them: for Verify, and to keep.
func (s *Shared) Export(ctx context.Context, w io.Writer) error {
	for after := uint64(0); ; after += sharedPage {
		lines, err := s.table.Lines(ctx, after, sharedPage)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		for _, line := range lines {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if len(lines) < sharedPage {
			return nil
		}
	}
}
