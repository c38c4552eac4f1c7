package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// prepareEvery is the time between two attempts to find the database.
const prepareEvery = 100 * time.Millisecond

// readiness is what keeps a Store from being used, nil while nothing does.
type readiness struct {
	lost chan struct{} // holds one wake-up

	mu  sync.RWMutex
	err error // guarded by mu
}

func newReadiness() readiness {
	return readiness{lost: make(chan struct{}, 1), err: fmt.Errorf("%w: it has not been asked yet", ErrAway)}
}

func (r *readiness) set(err error) {
	if err != nil && !errors.Is(err, ErrMigration) && !errors.Is(err, ErrAway) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
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

// lost notes an exchange that failed with err, after it was repeated. If it was the
// connection that failed, nobody waits for the database until it answers again: a
// request that waits for a timeout is one that a client waits for.
func (s *Store) lost(err error) {
	if !broken(err) || errors.Is(err, context.Canceled) || errors.Is(err, ErrMigration) || errors.Is(err, ErrContended) {
		return
	}
	s.ready.set(err)
	select {
	case s.ready.lost <- struct{}{}:
	default:
	}
}

// keepReady waits for the database whenever it is away.
func (s *Store) keepReady() {
	for {
		if s.ready.check() != nil && !s.awaitDatabase() {
			return
		}
		select {
		case <-s.stop.Done():
			return
		case <-s.ready.lost:
		}
	}
}

// awaitDatabase returns once the database is there and this migration's; false if
// the Store is closed first.
func (s *Store) awaitDatabase() bool {
	s.cfg.Log.Warn("the claims database is away: claims wait for it", zap.Error(s.ready.check()))
	said := "" // of the errors that somebody must mend
	for {
		err := s.prepare(s.stop)
		if s.stop.Err() != nil {
			return false
		}
		s.ready.set(err)
		switch {
		case err == nil:
			s.cfg.Log.Info("the claims database is there", zap.String("where", where(s.pool)))
			s.wake() // the policy may have changed meanwhile
			return true
		case final(err) && err.Error() != said:
			said = err.Error()
			s.cfg.Log.Error("the claims database refuses this gateway", zap.Error(err))
		}
		select {
		case <-s.stop.Done():
			return false
		case <-time.After(prepareEvery):
		}
	}
}
