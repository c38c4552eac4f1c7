package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
)

// ErrBreakerOpen says that a store's breaker refused the call: the store failed
// again and again and is left alone for a while. The call did not happen, and
// is worth repeating later.
var ErrBreakerOpen = errors.New("the store failed too often and is left alone for a moment")

// Breaker says when a store that fails is left alone. Zero fields mean the
// defaults.
type Breaker struct {
	// Failures is the number of calls that must fail in a row; default 10, more
	// than one document's attempts: a single bad one does not shut the store.
	Failures uint32
	// OpenFor is how long the store is left alone before one call may try it
	// again; default 1 s, less than the attempts of one step last: a document
	// that comes while the breaker is open still gets its chance.
	OpenFor time.Duration
}

// Guard puts a circuit breaker of its own in front of each store of set, and
// observation behind it. Each store is reported under prefix + its kind.
func Guard(set Set, prefix string, breaker Breaker, observer Observer) Set {
	return set.each(func(kind Kind, store Store) Store {
		name := prefix + string(kind)
		return newGuarded(observed{inner: store, name: name, observer: observer}, name, breaker, observer)
	})
}

// guarded is a store behind a circuit breaker.
type guarded struct {
	inner   Store
	name    string
	breaker *gobreaker.CircuitBreaker[struct{}]
}

func newGuarded(inner Store, name string, limits Breaker, observer Observer) *guarded {
	if limits.Failures == 0 {
		limits.Failures = 10
	}
	if limits.OpenFor <= 0 {
		limits.OpenFor = time.Second
	}
	observer.StoreBreaker(name, gobreaker.StateClosed.String())
	return &guarded{inner: inner, name: name, breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         name,
		Timeout:      limits.OpenFor,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= limits.Failures },
		IsSuccessful: func(err error) bool { return err == nil || Final(err) },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(name string, _, to gobreaker.State) {
			observer.StoreBreaker(name, to.String())
		},
	})}
}

func (g *guarded) Put(ctx context.Context, rec Record) error {
	return g.call(func() error { return g.inner.Put(ctx, rec) })
}

func (g *guarded) Undo(ctx context.Context, ref Ref) error {
	return g.call(func() error { return g.inner.Undo(ctx, ref) })
}

func (g *guarded) call(do func() error) error {
	_, err := g.breaker.Execute(func() (struct{}, error) { return struct{}{}, do() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return fmt.Errorf("%s store: %w", g.name, ErrBreakerOpen)
	}
	return err
}
