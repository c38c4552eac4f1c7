package flags

import (
	"time"

	"go.uber.org/zap"
)

// retryAfter a failed save, if no newer state came first.
const retryAfter = time.Second

// keeper writes the newest state to disk on a goroutine of its own, so that a
// disk that hangs delays no rollback. A nil keeper keeps nothing.
type keeper struct {
	path   string
	log    *zap.Logger
	newest chan state // holds the one state that is still to be written
	done   chan struct{}
	failed bool // owned by run
}

func newKeeper(path string, log *zap.Logger) *keeper {
	if path == "" {
		return nil
	}
	k := &keeper{path: path, log: log, newest: make(chan state, 1), done: make(chan struct{})}
	go k.run()
	return k
}

// keep hands a state over; one that still waits is older, and dropped. It never
// blocks. It must not be called by two goroutines at once, nor after close.
func (k *keeper) keep(s state) {
	if k == nil {
		return
	}
	select {
	case <-k.newest:
	default:
	}
	k.newest <- s
}

// close lets the keeper write what waits. The channel is closed when it has.
func (k *keeper) close() <-chan struct{} {
	if k == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	close(k.newest)
	return k.done
}

func (k *keeper) run() {
	defer close(k.done)
	var s state
	var again <-chan time.Time // nil unless the last save failed
	for {
		select {
		case newest, open := <-k.newest:
			if !open {
				return
			}
			s = newest
		case <-again:
		}
		again = nil
		if !k.save(s) {
			again = time.After(retryAfter)
		}
	}
}

// save reports whether the state is on disk. A run of failures is logged when
// it begins and when it ends.
func (k *keeper) save(s state) bool {
	err := s.save(k.path)
	switch {
	case err != nil && !k.failed:
		k.log.Warn("the flag policy cannot be kept on disk: after a restart with the flag source down, an older one would be in force",
			zap.String("file", k.path), zap.Uint64("epoch", s.Epoch), zap.Error(err))
	case err == nil && k.failed:
		k.log.Info("the flag policy is kept on disk again", zap.String("file", k.path), zap.Uint64("epoch", s.Epoch))
	}
	k.failed = err != nil
	return err == nil
}
