package chaos

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
	"sluice/rollout/store/postgres"
)

// openClaims reads the store itself, after the gateways have been stopped, and
// lists the claims that are still open, and the books.
func (s *stage) openClaims(ctx context.Context) (open []string, books rollout.Books, err error) {
	store, err := s.openStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	if books, err = store.Books(ctx); err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	err = store.Open(ctx, func(h *rollout.Holding) error {
		for i := range h.Claims {
			if c := &h.Claims[i]; c.Open() {
				open = append(open, fmt.Sprintf("%s %s: life %d on %s, owner %s, accepted=%v, unsettled=%d of %d, sends=%v",
					h.DocID, c.Intent, c.Life, c.Path, c.Owner, c.Accepted, c.Unsettled, c.Attempts, c.Sends))
			}
		}
		return nil
	})
	return open, books, errors.Join(err, store.Close())
}

// records is a store, whichever it is.
type records interface {
	// Open visits every holding with an open claim.
	Open(ctx context.Context, visit func(*rollout.Holding) error) error
	// Books returns what the gateways counted.
	Books(ctx context.Context) (rollout.Books, error)
	Close() error
}

func (s *stage) openStore(ctx context.Context) (records, error) {
	if s.config.Store == StorePostgres {
		return postgres.Open(ctx, postgres.Config{DSN: s.dsn, Migration: "temporal-rollout/v1", Horizon: horizon})
	}
	return embedded.Open(ctx, embedded.Config{
		Dir: filepath.Join(s.data(0), "claims"), Horizon: horizon, Policy: func() *rollout.Policy { return &rollout.Policy{} },
	})
}
