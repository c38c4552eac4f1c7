package router

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// rest is the client's side of a body that is passed on while it comes. What reads it
// may do so from a goroutine of its own, and for longer than the request is served.
type rest struct {
	from io.ReadCloser

	reading sync.Mutex  // held while it is read
	ended   atomic.Bool // the body's end was read
	over    atomic.Bool // nobody reads it any more
}

var errClosed = errors.New("the request of this body is over")

func (b *rest) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.over.Load() {
		return 0, errClosed
	}
	n, err := b.from.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	}
	return n, err
}

// Close leaves the client's body to the server, which closes it.
func (b *rest) Close() error { return nil }

// leave ends the reading when the request is answered. If the body's end never came,
// its client may go on for a while: so the answer is not lost in the reset of a
// connection with unread bytes, and a client that has stalled, or was told by the
// answer that its body is not wanted, is not waited for.
func (b *rest) leave(w http.ResponseWriter) {
	b.over.Store(true)
	if b.ended.Load() {
		return
	}
	// The server ends a read that is under way and forgets the deadline with it.
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Unix(1, 0)) != nil {
		return // a writer without deadlines has no client that stalls
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	_ = control.SetReadDeadline(time.Now().Add(linger)) // it worked before
}

// linger is how long a body may go on coming when its request is answered.
const linger = 500 * time.Millisecond
