package router

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"sluice/rollout"
)

// intake is a document's body on its way in. A goroutine reads it into memory, so that
// whoever waits for it can stop to wait. What was read then, what that goroutine is
// about to read and what comes after it make up the stream, from which nothing is
// lost and nothing is held any longer than it takes to pass it on.
type intake struct {
	bodies *bodies
	rest   rest  // read by run, and after that by the stream
	most   int64 // bytes of it that may be held
	begun  bool  // the client was asked for it

	mu      sync.Mutex
	held    []byte // guarded by mu; what was read and is not given up
	taken   int64  // guarded by mu; bytes of the budget
	stopped bool   // guarded by mu; run reads no more
	closed  bool   // guarded by mu; nothing is held any more

	done chan struct{} // closed when run has ended
	err  error         // why the body is not whole, if it is not; set before done is closed

	passed atomic.Int64 // bytes that the stream passed on
}

var errStopped = errors.New("nobody waits for the body any more")

// run reads the body into buf, and into larger ones when that is full.
func (in *intake) run(buf []byte) {
	defer close(in.done)
	for in.err == nil && !in.rest.ended.Load() {
		if len(buf) == cap(buf) {
			if buf, in.err = in.grown(buf); in.err != nil {
				return
			}
		}
		n, err := in.rest.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		in.err = in.hold(buf)
		switch {
		case err == io.EOF: // the rest has noted it
		case err != nil:
			in.err = errors.Join(errBroken, err)
		}
	}
}

// room is how many bytes are read before more of the budget is taken. What has reached
// its limit has one byte more, which is the end's or proves that the body is too large.
func (in *intake) room() int64 {
	if in.taken == in.most {
		return in.most + 1
	}
	return in.taken
}

// hold notes all that was read so far.
func (in *intake) hold(read []byte) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.closed {
		in.held = read
	}
	switch {
	case int64(len(read)) > in.most:
		return rollout.ErrBodyTooLarge
	case in.stopped:
		return errStopped
	}
	return nil
}

// grown takes more of the budget, and returns what was read with room for more.
func (in *intake) grown(read []byte) ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped {
		return nil, errStopped
	}
	more := min(in.taken, in.most-in.taken)
	if !in.bodies.take(more) {
		return nil, rollout.ErrBodyOverload
	}
	in.taken += more
	return append(make([]byte, 0, in.room()), read...), nil
}

// stop lets run end with what it reads now. over: it has ended already.
func (in *intake) stop() (over bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped = true
	select {
	case <-in.done:
		return true
	default:
		return false
	}
}

// whole returns the body if all of it is held; never nil then.
func (in *intake) whole() ([]byte, bool) {
	select {
	case <-in.done:
		return in.held, in.err == nil
	default:
		return nil, false
	}
}

// close gives up what is held, and the rest of the body; see rest.
func (in *intake) close(w http.ResponseWriter) {
	in.letGo()
	in.rest.leave(w)
}

// letGo gives up what is held.
func (in *intake) letGo() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bodies.held.Add(-in.taken)
	in.held, in.taken, in.stopped, in.closed = nil, 0, true, true
}

// stream returns the body from its first byte on, to be read once. It passes on what is
// held, and then the rest as it comes.
func (in *intake) stream() io.ReadCloser { return &stream{intake: in} }

type stream struct {
	*intake
	next  int  // of what is held
	spent bool // all that was held is passed on
}

func (s *stream) Read(p []byte) (n int, err error) {
	if n, err = s.fromHeld(p); n == 0 && err == nil && len(p) > 0 {
		n, err = s.fromRest(p)
	}
	s.passed.Add(int64(n))
	return n, err
}

func (s *stream) fromHeld(p []byte) (int, error) {
	if s.spent {
		return 0, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	n := copy(p, s.held[s.next:])
	s.next += n
	return n, nil
}

func (s *stream) fromRest(p []byte) (int, error) {
	if !s.spent {
		<-s.done // what was under way is held now
		if n, err := s.fromHeld(p); n > 0 || err != nil {
			return n, err
		}
		s.spent = true
		s.letGo()
	}
	if s.rest.ended.Load() {
		return 0, io.EOF
	}
	if errors.Is(s.err, errBroken) {
		return 0, s.err
	}
	return s.rest.Read(p)
}

// Close leaves the client's body to the server, which closes it.
func (s *stream) Close() error { return nil }
