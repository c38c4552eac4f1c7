package embedded

import "os"

// StopSweeper ends the sweeper, so that nothing but updates writes.
func StopSweeper(s *Store) {
	close(s.stop)
	<-s.swept
	s.stop = make(chan struct{})
}

// Entries returns how many documents the index has.
func Entries(s *Store) int {
	n := 0
	for i := range s.shards {
		s.shards[i].mu.Lock()
		n += s.shards[i].table.count
		s.shards[i].mu.Unlock()
	}
	return n
}

// Slots returns how much room the index takes, in entries.
func Slots(s *Store) int {
	n := 0
	for i := range s.shards {
		s.shards[i].mu.Lock()
		n += len(s.shards[i].table.slots)
		s.shards[i].mu.Unlock()
	}
	return n
}

// Head returns the name of the newest segment, and how many bytes of it are
// used.
func Head(s *Store) (path string, used int) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	if g := s.journal.head; g != nil {
		return g.path, g.used
	}
	return "", 0
}

// Refuse makes every attempt to get room on the disk fail, or work again if err
// is nil.
func Refuse(s *Store, err error) {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.reserve = reserve
	if err != nil {
		s.journal.reserve = func(*os.File, int64) error { return err }
	}
}

// BreakSync makes every attempt to write to the disk fail, or work again if err
// is nil.
func BreakSync(s *Store, err error) {
	s.journal.syncing.Lock()
	defer s.journal.syncing.Unlock()
	s.journal.persist = (*os.File).Sync
	if err != nil {
		s.journal.persist = func(*os.File) error { return err }
	}
}

// SlowSync makes every write to the disk wait for wait.
func SlowSync(s *Store, wait func()) {
	s.journal.syncing.Lock()
	defer s.journal.syncing.Unlock()
	s.journal.persist = func(f *os.File) error {
		wait()
		return f.Sync()
	}
}

// Still runs f while nothing is written: what f finds in the directory is what
// the death of the process at this instant would leave.
func Still(s *Store, f func()) {
	s.journal.syncing.Lock()
	defer s.journal.syncing.Unlock()
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	f()
}

// NewTable returns the operations of a table, each on a tag and a value.
func NewTable() (add func(tag, value uint32), remove func(tag, value uint32) bool, count func() int) {
	var t table
	find := func(tag, value uint32) int {
		for i := range t.tagged(tag) {
			if t.slots[i].place.offset == value {
				return i
			}
		}
		return none
	}
	add = func(tag, value uint32) { t.add(slot{tag: tag, place: place{1, value}}) }
	remove = func(tag, value uint32) bool {
		i := find(tag, value)
		if i == none {
			return false
		}
		t.remove(i)
		t.shrink()
		return true
	}
	return add, remove, func() int { return t.count }
}

// LogBytes returns how many bytes of records the log has.
func LogBytes(s *Store) int64 {
	used, _ := s.journal.waste()
	return int64(used)
}
