package embedded

import (
	"context"
	"time"

	"sluice/rollout"
)

// Open visits every holding that has an open claim, as of about now. It stops at
// visit's error and returns it as it is. visit may use the store.
func (s *Store) Open(ctx context.Context, visit func(*rollout.Holding) error) error {
	for i := range s.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		open, err := s.open(&s.shards[i])
		if err != nil {
			return err
		}
		for _, h := range open {
			if err := visit(h); err != nil {
				return err
			}
		}
	}
	return nil
}

// open returns the shard's holdings that have an open claim.
func (s *Store) open(shard *shard) ([]*rollout.Holding, error) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.closed {
		return nil, ErrClosed
	}
	var open []*rollout.Holding
	for _, slot := range shard.table.slots {
		if slot.empty() || slot.expires != 0 {
			continue
		}
		h, err := s.load(shard, slot.place)
		if err != nil {
			return nil, err
		}
		open = append(open, h)
	}
	return open, nil
}

// Renew does nothing: the gateway that has the directory is the one that lives.
func (s *Store) Renew(context.Context, string, time.Duration) error { return nil }

// Dead lists the owners of open claims and of their sends, other than self: the
// directory has one gateway at a time, so they are all gone.
func (s *Store) Dead(_ context.Context, self string) ([]string, error) {
	var dead []string
	seen := map[string]bool{self: true, "": true}
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		if shard.closed {
			shard.mu.Unlock()
			return nil, ErrClosed
		}
		for owner := range shard.owners {
			if !seen[owner] {
				seen[owner] = true
				dead = append(dead, owner)
			}
		}
		shard.mu.Unlock()
	}
	return dead, nil
}
