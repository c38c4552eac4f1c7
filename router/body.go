package router

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
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

// What can go wrong with reading a body.
var (
	errTooLarge = errors.New("the body is too large")
	errOverload = errors.New("too many bytes of bodies are held already")
	errTooSlow  = errors.New("the body came too slowly")
	errBroken   = errors.New("the body broke off")
)

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

// read returns the request's whole body, never nil. release gives its bytes
// back to the budget; it is not nil. Where the length is known, a body that
// cannot be taken is refused before it is read.
func (b *bodies) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	var taken int64
	release = func() { b.held.Add(-taken) }
	size, most := r.ContentLength, r.ContentLength
	if size < 0 {
		size, most = min(firstGuess, b.limits.Max), b.limits.Max
	}
	if size > b.limits.Max {
		return nil, release, errTooLarge
	}
	if !b.take(size) {
		return nil, release, errOverload
	}
	taken = size
	reset := b.hurry(w, r)
	defer reset()
	body = make([]byte, 0, size)
	for {
		if len(body) == cap(body) {
			if taken == most {
				return body, release, atEnd(r.Body)
			}
			grown := min(taken, most-taken)
			if !b.take(grown) {
				return nil, release, errOverload
			}
			taken += grown
			body = append(make([]byte, 0, taken), body...)
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			return body, release, nil
		case err != nil:
			return nil, release, broken(err)
		}
	}
}

// atEnd reads what must be the end of the body.
func atEnd(body io.Reader) error {
	var one [1]byte
	switch n, err := body.Read(one[:]); {
	case n > 0:
		return errTooLarge
	case err != nil && err != io.EOF:
		return broken(err)
	}
	return nil
}

func broken(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.Join(errTooSlow, err)
	}
	return errors.Join(errBroken, err)
}

// hurry sets the deadline of the body and returns what lifts it.
func (b *bodies) hurry(w http.ResponseWriter, r *http.Request) (reset func()) {
	size := r.ContentLength
	if size < 0 {
		size = b.limits.Max
	}
	limit := b.limits.Patience
	if b.limits.MinRate > 0 {
		limit += time.Duration(size/b.limits.MinRate) * time.Second
	}
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(limit)) != nil {
		return func() {} // a connection without deadlines, as in tests
	}
	return func() { _ = control.SetReadDeadline(time.Time{}) } // it worked before
}
