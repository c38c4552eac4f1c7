package legacy

import (
	"context"
	"sync"
	"time"
)

// ClientConn is what a Forwarder has to know of a client's connection. All fields
// are needed.
type ClientConn struct {
	// Ended ends when the client sends no more. It may still wait for an answer.
	Ended context.Context
	// Closed ends when the connection is closed.
	Closed context.Context
	// Close closes the connection as soon as no request is under way on it.
	Close func()
	// Bound is called once when something that only this process has is bound to
	// the connection, so that no other can go on with it.
	Bound func()
}

// client is one client's connection, and what legacy has bound to it.
type client struct {
	ClientConn
	mu      sync.Mutex
	private *private // guarded by mu; nil: nothing is bound
}

type clientKey struct{}

// WithClient returns a context for the requests that come on the connection. Where
// requests come without, no two of them share what is bound to a connection, and a
// client has left when its request's own context has ended.
func WithClient(ctx context.Context, conn ClientConn) context.Context {
	return context.WithValue(ctx, clientKey{}, &client{ClientConn: conn})
}

// clientOf returns nil if the request came without.
func clientOf(ctx context.Context) *client {
	c, _ := ctx.Value(clientKey{}).(*client)
	return c
}

// errLate is the cause of a call that was given up.
type errLate struct{}

func (errLate) Error() string {
	return "its client sends no more or has left, and the service has not begun to answer since"
}

// Timeout is as in net.Error.
func (errLate) Timeout() bool { return true }

// clock gives a call up that nobody may be waiting for any more. While the client
// is there its own patience decides, as it would without the gateway.
type clock struct {
	limit   time.Duration
	giveUp  context.CancelCauseFunc
	unwatch func() bool

	mu      sync.Mutex
	timer   *time.Timer // guarded by mu
	stopped bool        // guarded by mu
}

// watch starts the limit when the client sends no more; 0 is no limit.
func watch(client context.Context, limit time.Duration, giveUp context.CancelCauseFunc) *clock {
	k := &clock{limit: limit, giveUp: giveUp, unwatch: func() bool { return true }}
	if limit > 0 {
		k.unwatch = context.AfterFunc(client, k.start)
	}
	return k
}

func (k *clock) start() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stopped {
		k.timer = time.AfterFunc(k.limit, func() { k.giveUp(errLate{}) })
	}
}

// stop is for when the answer has begun. It may be called again.
func (k *clock) stop() {
	k.unwatch()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	if k.timer != nil {
		k.timer.Stop()
	}
}
