package router

import (
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"sluice/rollout"
)

// BodyLimits bounds what clients can make the gateway hold.
type BodyLimits struct {
	// Max is the largest body of a document, in bytes.
	Max int64
	// Budget bounds the bytes of all bodies held at one time.
	Budget int64
	// Patience is how long a body may take, and MinRate, in bytes per second,
	// what it may take longer for its length.
	Patience time.Duration
	MinRate  int64
}

// errBroken says that the client broke the body off.
var errBroken = errors.New("the body broke off")

// bodies reads bodies within the limits.
type bodies struct {
	limits BodyLimits
	held   atomic.Int64
}

func newBodies(limits BodyLimits) *bodies { return &bodies{limits: limits} }

func (b *bodies) inUse() int64 { return b.held.Load() }

func (b *bodies) take(n int64) bool {
	if b.held.Add(n) > b.limits.Budget {
		b.held.Add(-n)
		return false
	}
	return true
}

// firstGuess is what is taken for a body of unknown length at first.
const firstGuess = 4 << 10

// read reads the request's body whole. It fails with errBroken, or with
// rollout.ErrBodyTooLarge, ErrBodyTooSlow or ErrBodyOverload: then the intake has what
// was read so far, and its stream the rest. Where the length is known, a body that
// cannot be held is not begun. The caller closes the intake, whatever the error.
func (b *bodies) read(r *http.Request) (*intake, error) {
	in := &intake{bodies: b, rest: rest{from: r.Body}, most: b.limits.Max, done: make(chan struct{})}
	size := r.ContentLength
	if size < 0 {
		size = min(firstGuess, b.limits.Max)
	} else {
		in.most = size
	}
	switch {
	case size > b.limits.Max:
		in.err = rollout.ErrBodyTooLarge
	case !b.take(size):
		in.err = rollout.ErrBodyOverload
	}
	if in.err != nil {
		close(in.done)
		return in, in.err
	}
	in.taken, in.begun = size, true
	if r.ContentLength == 0 {
		in.run(nil)
		return in, in.err
	}
	go in.run(make([]byte, 0, in.room()))
	return in, b.wait(in, r)
}

// wait waits for the whole body, as long as it may take. A deadline on the connection
// would not do: when it has passed, nothing more can be read.
func (b *bodies) wait(in *intake, r *http.Request) error {
	size := r.ContentLength
	if size < 0 {
		size = b.limits.Max
	}
	limit := b.limits.Patience
	if b.limits.MinRate > 0 {
		limit += time.Duration(size/b.limits.MinRate) * time.Second
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-in.done:
		return in.err
	case <-timer.C:
		if in.stop() {
			return in.err
		}
		return rollout.ErrBodyTooSlow
	}
}
