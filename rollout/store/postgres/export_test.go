package postgres

// Freeze makes freeze run between each batch's read and its commit.
func (s *Store) Freeze(freeze func()) { s.frozen = freeze }

// Late makes the next pledge count as one that was sent n before.
func (s *Store) Late(n int64) { s.pledges.Add(-n) }
