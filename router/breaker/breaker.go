// Package breaker opens a path's circuit when the path is gone, so that new
// documents take the other one without waiting for a timeout, and closes it when
// a probe gets through. It changes no exposure and needs no statistics.
//
//	closed ── 5 failures in a row, or half of the last 20 ──▶ open
//	   ▲                                                        │
//	   └────────────── a probe gets through ────────────────────┘
//
// While it is open nobody's document is the probe: Watch asks the path itself.
package breaker

import (
	"context"
	"sync"
	"time"
)

const (
	row    = 5
	window = 20
)

// Breaker is the circuit of one path. It is safe for concurrent use; the zero
// value is closed.
type Breaker struct {
	mu       sync.Mutex
	open     bool         // guarded by mu
	inRow    int          // failures since the last success, guarded by mu
	last     [window]bool // failures, a ring; guarded by mu
	next     int          // guarded by mu
	reported int          // at most window, guarded by mu
	opened   chan struct{}
}

// New returns a closed breaker.
func New() *Breaker { return &Breaker{opened: make(chan struct{}, 1)} }

// Open reports whether new documents are to stay away from the path.
func (b *Breaker) Open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// Report notes how the path fared with one document. Failures of the document's
// own are no failures here.
func (b *Breaker) Report(ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open {
		return // what comes now was sent before
	}
	b.last[b.next] = !ok
	b.next = (b.next + 1) % window
	b.reported = min(b.reported+1, window)
	if b.inRow++; ok {
		b.inRow = 0
	}
	if b.inRow >= row || b.reported == window && 2*b.failures() >= window {
		b.open = true
		select {
		case b.opened <- struct{}{}:
		default:
		}
	}
}

// failures counts those in the window. b.mu is held.
func (b *Breaker) failures() (n int) {
	for _, failed := range b.last {
		if failed {
			n++
		}
	}
	return n
}

// close begins anew. Only Watch does it.
func (b *Breaker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.inRow, b.reported, b.next = false, 0, 0, 0
	b.last = [window]bool{}
}

// Watch probes the path while the breaker is open, every interval, until ctx
// ends. changed is told of each change.
func (b *Breaker) Watch(ctx context.Context, interval time.Duration, probe func(context.Context) error, changed func(open bool)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.opened:
		}
		changed(true)
		for probe(ctx) != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(interval):
			}
		}
		b.close()
		changed(false)
	}
}
