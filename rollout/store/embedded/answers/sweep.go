package answers

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// recover opens the segments that are there. None of them is written to again.
func (s *Store) recover() error {
	entries, err := os.ReadDir(s.config.Dir) // by name, so by number
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, ours := strings.CutSuffix(entry.Name(), suffix)
		number, err := strconv.ParseUint(name, 10, 32)
		if !ours || err != nil {
			continue
		}
		g, err := openSegment(filepath.Join(s.config.Dir, entry.Name()))
		if err != nil {
			return err
		}
		s.segments = append(s.segments, g)
		s.next = uint32(number) + 1
	}
	return s.forget(time.Now())
}

// sweep gives the room of old answers back until the store is closed.
func (s *Store) sweep() {
	defer close(s.swept)
	often := time.NewTicker(min(max(s.config.Keep/16, 20*time.Millisecond), time.Minute))
	defer often.Stop()
	failed := false
	for {
		select {
		case <-s.stop:
			return
		case now := <-often.C:
			s.mu.Lock()
			err := s.forget(now)
			s.mu.Unlock()
			if err != nil && !failed {
				s.config.Log.Warn("answers that are no longer needed cannot be removed", zap.String("dir", s.config.Dir), zap.Error(err))
			}
			failed = err != nil
		}
	}
}

// forget removes the segments whose last answer is old enough. It needs mu.
func (s *Store) forget(now time.Time) error {
	for len(s.segments) > 0 && now.Sub(s.segments[0].last) >= s.config.Keep {
		if err := s.drop(); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom removes the oldest answers until size bytes and one answer more are
// allowed. It needs mu, and leaves the head alone.
func (s *Store) makeRoom(size int64) error {
	for len(s.segments) > 1 {
		answers := 0
		bytes := size
		for _, g := range s.segments {
			answers, bytes = answers+len(g.index), bytes+g.used
		}
		if bytes <= s.config.Budget && answers < s.config.Most {
			return nil
		}
		s.config.Log.Warn("legacy's answers are forgotten before their time: there are too many",
			zap.Int("answers", answers), zap.Int64("bytes", bytes), zap.Int64("budget", s.config.Budget))
		if err := s.drop(); err != nil {
			return err
		}
	}
	return nil
}

// drop removes the oldest segment. It needs mu.
func (s *Store) drop() error {
	g := s.segments[0]
	if err := g.remove(); err != nil {
		return err
	}
	s.segments = slices.Clone(s.segments[1:])
	if g == s.head {
		s.head = nil
	}
	return nil
}
