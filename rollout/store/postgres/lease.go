package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const renewLease = `INSERT INTO sluice_leases AS l (owner, expires) VALUES ($1, clock_timestamp() + $2)
	ON CONFLICT (owner) DO UPDATE SET expires = excluded.expires`

// Renew keeps the gateway's lease alive for ttl from now.
func (s *Store) Renew(ctx context.Context, owner string, ttl time.Duration) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.retry(ctx, func() error {
		_, err := s.pool.Exec(ctx, renewLease, owner, ttl)
		return err
	})
	if err != nil {
		return fmt.Errorf("%w: renew the lease of %q: %w", ErrAway, owner, err)
	}
	return nil
}

// deadOwners steps from one distinct list of owners to the next in the index of
// the open claims, of which there are as few as there are gateways, however many
// claims are open.
const deadOwners = `WITH RECURSIVE held AS (
		(SELECT owners FROM sluice_claims WHERE expires = 0 ORDER BY owners LIMIT 1)
		UNION ALL
		SELECT (SELECT c.owners FROM sluice_claims c WHERE c.expires = 0 AND c.owners > held.owners ORDER BY c.owners LIMIT 1)
		FROM held WHERE held.owners IS NOT NULL
	)
	SELECT DISTINCT o.owner FROM held, unnest(held.owners) AS o (owner)
	WHERE o.owner <> $1 AND NOT EXISTS (SELECT FROM sluice_leases l WHERE l.owner = o.owner AND l.expires > clock_timestamp())
	ORDER BY 1`

// Dead lists the gateways other than self that have no living lease and still
// own an open claim or a request to legacy.
func (s *Store) Dead(ctx context.Context, self string) ([]string, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var owners []string
	err := s.retry(ctx, func() error {
		rows, err := s.pool.Query(ctx, deadOwners, self)
		if err != nil {
			return err
		}
		owners, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: list dead owners: %w", ErrAway, err)
	}
	return owners, nil
}
