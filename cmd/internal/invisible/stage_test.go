package invisible_test

import (
	"sync"
	"testing"
	"time"
)

// stage is where one performance of a row is played: what its client and its legacy
// service share.
type stage struct {
	t testing.TB

	mu      sync.Mutex
	signals map[string]chan struct{} // guarded by mu
	heard   []*message               // guarded by mu; what legacy was asked, in order
	pending int                      // guarded by mu; exchanges under way
	idle    sync.Cond                // pending fell to 0
}

func newStage(t testing.TB) *stage {
	s := &stage{t: t, signals: map[string]chan struct{}{}}
	s.idle.L = &s.mu
	return s
}

func (s *stage) channel(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.signals[name]
	if c == nil {
		c = make(chan struct{})
		s.signals[name] = c
	}
	return c
}

// signal lets whoever waits for the name go on. It is for one call a name.
func (s *stage) signal(name string) { close(s.channel(name)) }

// await waits for the signal and reports whether it came.
func (s *stage) await(name string) bool {
	select {
	case <-s.channel(name):
		return true
	case <-time.After(patience):
		return false
	}
}

func (s *stage) begin(m *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending++
	s.heard = append(s.heard, m)
}

func (s *stage) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending--; s.pending == 0 {
		s.idle.Broadcast()
	}
}

// requests returns what legacy was asked, when all of it was answered.
func (s *stage) requests() (all []note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.pending > 0 {
		s.idle.Wait()
	}
	for _, m := range s.heard {
		all = append(all, note{what: "request", message: *m})
	}
	return all
}
