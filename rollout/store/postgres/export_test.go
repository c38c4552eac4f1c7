package postgres

// Freeze makes freeze run between each batch's read and its commit.
func (s *Store) Freeze(freeze func()) { s.frozen = freeze }
