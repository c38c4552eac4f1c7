package postgres

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// prepareEvery is the time between two attempts to find the database.
const prepareEvery = 500 * time.Millisecond

// readiness is what keeps a Store from being used, nil once nothing does.
type readiness struct {
	mu  sync.RWMutex
	err error // guarded by mu
}

func (r *readiness) lacks(err error) {
	if err != nil && !errors.Is(err, ErrMigration) {
		err = fmt.Errorf("%w yet: %w", ErrAway, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *readiness) check() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.err
}

// keepPreparing waits for a database that was away when the Store was opened.
func (s *Store) keepPreparing() {
	s.cfg.Log.Warn("the claims database is away: claims wait for it", zap.Error(s.ready.check()))
	said := "" // of the errors that somebody must mend
	for {
		select {
		case <-s.stop.Done():
			return
		case <-time.After(prepareEvery):
		}
		err := s.prepare(s.stop)
		s.ready.lacks(err)
		switch {
		case err == nil:
			s.cfg.Log.Info("the claims database is there", zap.String("where", where(s.pool)))
			return
		case final(err) && err.Error() != said:
			said = err.Error()
			s.cfg.Log.Error("the claims database refuses this gateway", zap.Error(err))
		}
	}
}
