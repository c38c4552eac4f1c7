package embedded

import (
	"bytes"
	"fmt"

	"sluice/rollout"
)

// mark is the highest exposure that ever was in force, in one migration: no claim of a
// document at or above it is, or ever was, on Temporal.
type mark struct {
	Migration string           `json:"migration"`
	Exposure  rollout.Exposure `json:"exposure"`
}

// Mark returns the highest exposure that ever was in force here, as far as that is
// known; else, and without Config.Marked, All.
func (s *Store) Mark() rollout.Exposure { return rollout.Exposure(s.mark.Load()) }

// Raise lets exposures up to that one come into force: it is on the disk before any
// of them is. It fails with rollout.ErrStoreAway and has raised nothing; a later
// process may find it raised all the same.
func (s *Store) Raise(to rollout.Exposure) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to <= s.Mark() {
		return nil
	}
	if s.closing.Load() {
		return ErrClosed
	}
	next := s.state
	next.Mark = &mark{Migration: s.config.Migration, Exposure: to}
	if err := next.save(s.config.Dir); err != nil {
		return fmt.Errorf("%w: the percentage cannot be raised to %v: %w", rollout.ErrStoreAway, to, err)
	}
	s.state = next
	s.mark.Store(uint32(to))
	return nil
}

// openMark returns what is to stand in the state file. Where the file says nothing, as
// in a directory of before or after a time without Config.Marked, the claims tell
// whether anything was ever on Temporal. If something was, nobody knows how much: not
// until a process begins that finds none of it any more.
func (s *Store) openMark(last state, crashed bool) *mark {
	s.mark.Store(uint32(rollout.All))
	if !s.config.Marked {
		return nil
	}
	m := last.Mark
	if m == nil || m.Migration != s.config.Migration || m.Exposure > rollout.All {
		if m = nil; !s.onTemporal && !crashed && !last.Lost {
			m = &mark{Migration: s.config.Migration}
		}
	}
	if m != nil {
		s.mark.Store(uint32(m.Exposure))
	}
	return m
}

// keepState writes the state file if it says anything else: a process that follows one
// that was killed can begin on a disk that is full.
func (s *Store) keepState(last state) error {
	if string(last.Fence) == fence && bytes.Equal(last.encode(), s.state.encode()) {
		return nil
	}
	return s.state.save(s.config.Dir)
}
