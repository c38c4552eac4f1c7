package embedded

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"go.uber.org/zap"

	"sluice/rollout"
)

// Books returns the books of all gateways that ever had the directory, with the
// claims that are open now. Each shard is looked at while nothing in it changes, so
// the books balance exactly, however much is going on. It takes about 0.3 s of CPU
// for a million open claims.
func (s *Store) Books(ctx context.Context) (rollout.Books, error) {
	var books rollout.Books
	books.Add(s.brought)
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.audit(&s.shards[i], &books); err != nil {
			return nil, err
		}
	}
	return books, nil
}

// audit adds one shard's books, and counts its open claims.
func (s *Store) audit(shard *shard, books *rollout.Books) (err error) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.closed {
		return ErrClosed
	}
	books.Add(shard.books)
	for _, slot := range shard.table.slots {
		if slot.empty() || slot.expires != 0 {
			continue
		}
		if shard.before, err = s.journal.read(shard.before[:0], slot.place); err != nil {
			return err
		}
		if err := books.CountOpen(shard.before); err != nil {
			return err
		}
	}
	shard.trim()
	return nil
}

// bringBooks takes over the books, and the totals, of a log that is empty.
func (s *Store) bringBooks(last state) (err error) {
	j := s.journal
	if len(last.Books) > 0 {
		j.books, err = rollout.ParseBooks(last.Books)
	}
	if err == nil && len(last.Counts) > 0 {
		j.totals, _, err = parseTotals(last.Counts)
	}
	if err != nil {
		return fmt.Errorf("the state file in %s: %w", s.config.Dir, err)
	}
	return nil
}

// openPage reads the books, and the totals unless a build wrote it that did not
// count.
func (j *journal) openPage(h header, page []byte) (err error) {
	if h.counts() {
		if j.totals, page, err = parseTotals(page); err != nil {
			return err
		}
	}
	j.books, err = rollout.ParseBooks(page)
	return err
}

// openBooks begins this process's books with what the log says. If the machine
// stopped, claims that went with it are written off; those that are rebuilt count
// as new ones.
func (s *Store) openBooks(crashed bool) error {
	s.brought = slices.Clone(s.journal.books)
	if !crashed {
		return nil
	}
	books, err := s.Books(context.Background())
	if err != nil {
		return err
	}
	for i := range books {
		if lost := books[i].WriteOff(); lost != 0 {
			s.config.Log.Warn("claims that were lost when the machine stopped are written off", zap.String("route", books[i].Route), zap.Int64("claims", lost))
		}
		books[i].Open = 0
	}
	s.brought, s.journal.books = books, slices.Clone(books)
	return nil
}

// keepBooks writes the books and the totals into the state file if the log is about
// to be empty: nothing else would know them.
func (s *Store) keepBooks() error {
	if len(s.journal.list()) > 1 {
		return nil
	}
	s.journal.mu.Lock()
	books := rollout.AppendBooks(nil, s.journal.books)
	counts := rollout.AppendCounts(nil, s.journal.totals.counts)
	s.journal.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Equal(s.state.Books, books) && bytes.Equal(s.state.Counts, counts) {
		return nil
	}
	next := s.state
	next.Books, next.Counts = books, counts
	if err := next.save(s.config.Dir); err != nil {
		return err
	}
	s.state = next
	return nil
}
