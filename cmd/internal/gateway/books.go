package gateway

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// bookkeeping is a store that keeps the books of claims.
type bookkeeping interface {
	// Books returns the books of all gateways that ever used the store, with what
	// is open now.
	Books(ctx context.Context) (rollout.Books, error)
}

const (
	// booksInterval is the least time between two readings of the books.
	booksInterval = 5 * time.Second
	// booksShare is how much less than all the time is spent on reading them: they
	// take longer the more is open.
	booksShare = 50
	// booksTimeout bounds one reading.
	booksTimeout = time.Minute
)

// books are the books as they were last read: a scrape never waits for the store.
type books struct{ last atomic.Pointer[booksReading] }

type booksReading struct {
	books rollout.Books
	at    time.Time
}

// read returns the last reading, and when it was; the zero time if there is none.
func (b *books) read() (rollout.Books, time.Time) {
	if last := b.last.Load(); last != nil {
		return last.books, last.at
	}
	return nil, time.Time{}
}

// keep reads the books again and again until ctx ends.
func (b *books) keep(ctx context.Context, store bookkeeping, log *zap.Logger) {
	away := false
	for {
		begun := time.Now()
		limited, cancel := context.WithTimeout(ctx, booksTimeout)
		found, err := store.Books(limited)
		cancel()
		if err == nil {
			b.last.Store(&booksReading{found, begun})
		} else if !away && ctx.Err() == nil {
			log.Warn("the books of claims cannot be read now", zap.Error(err))
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(booksInterval, booksShare*time.Since(begun))):
		}
	}
}
