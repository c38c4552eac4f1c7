package embedded

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"sluice/rollout"
)

// Update makes one atomic change: it reads the document's holding (an empty one
// with DocID set and Version 0 if nothing is stored), calls change, and makes
// what change made of it durable before it returns nil.
//
// If change returns an error, nothing is stored and Update returns that error as
// it is. If it leaves Claims empty, the record is removed. If it changes nothing,
// nothing is written; else Version grows by one, and what change left in Counts is
// counted, once. Any other error means that nothing is stored; it wraps
// rollout.ErrStoreAway if the disk is to blame: it is full, cannot be written or cannot
// be read. A change that has begun to be stored is not given up when ctx ends.
func (s *Store) Update(ctx context.Context, docID string, change func(h *rollout.Holding, at rollout.Instant) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	shard, tag := s.shard(docID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	at := rollout.Instant{Now: time.Now(), Policy: s.policy(), Horizon: s.config.Horizon}
	entry, h, err := s.read(shard, docID, tag, at.Now)
	if err != nil {
		return err
	}
	version := h.Version
	shard.owned = appendOwners(shard.owned[:0], h)
	shard.was = append(shard.was[:0], h.Claims...)
	h.Counts = shard.counts[:0]
	err = change(h, at)
	shard.counts, h.Counts = append(shard.counts[:0], h.Counts...), nil // the room is the shard's
	if err != nil {
		return err
	}
	h.DocID, h.Version = docID, version
	if version == 0 && len(h.Claims) == 0 {
		return nil
	}
	if version > 0 {
		if shard.after = rollout.AppendHolding(shard.after[:0], h); bytes.Equal(shard.before, shard.after) {
			return nil
		}
	}
	h.Version++
	shard.postings = rollout.Postings(shard.postings[:0], shard.was, h.Claims)
	return s.write(shard, entry, tag, h)
}

// Get returns the holding: Version 0 and no claims if nothing is stored, or if
// what is stored has expired.
func (s *Store) Get(ctx context.Context, docID string) (*rollout.Holding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shard, tag := s.shard(docID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	_, h, err := s.read(shard, docID, tag, time.Now())
	return h, err
}

// shard returns where the document's entry is, and its tag there. The seed is
// this process's own, so clients cannot choose documents that collide.
func (s *Store) shard(docID string) (*shard, uint32) {
	hash := maphash.String(s.seed, docID)
	return &s.shards[hash>>(64-shardBits)], uint32(hash)
}

// read returns the document's entry, or none, and a private copy of its holding,
// empty if there is none or it has expired. It leaves the encoding in
// shard.before. The shard must be locked.
func (s *Store) read(shard *shard, docID string, tag uint32, now time.Time) (int, *rollout.Holding, error) {
	if shard.closed {
		return none, nil, ErrClosed
	}
	entry, h, err := s.find(shard, docID, tag)
	if err != nil {
		return none, nil, away(err)
	}
	if entry == none || expired(h, s.config.Horizon, now) {
		h = &rollout.Holding{DocID: docID}
	}
	return entry, h, nil
}

// find looks the document up. The shard must be locked.
func (s *Store) find(shard *shard, docID string, tag uint32) (int, *rollout.Holding, error) {
	for entry := range shard.table.tagged(tag) {
		h, err := s.load(shard, shard.table.slots[entry].place)
		if err != nil {
			return none, nil, err
		}
		if h.DocID == docID {
			return entry, h, nil
		}
	}
	return none, nil, nil
}

// load reads a record into shard.before. The shard must be locked.
func (s *Store) load(shard *shard, p place) (h *rollout.Holding, err error) {
	if shard.before, err = s.journal.read(shard.before[:0], p); err != nil {
		return nil, err
	}
	return rollout.ParseHolding(shard.before)
}

// write stores the holding and makes the entry point to it. The shard must be
// locked, shard.owned hold the owners that the entry's holding had, shard.postings
// what the change is for the books, and shard.counts what it counts.
func (s *Store) write(shard *shard, entry int, tag uint32, h *rollout.Holding) error {
	shard.after = rollout.AppendPostings(shard.after[:0], shard.postings)
	if len(shard.counts) > 0 {
		shard.after = rollout.AppendCounts(shard.after, shard.counts)
	}
	shard.after = rollout.AppendHolding(shard.after, h)
	kept := len(h.Claims) > 0
	to, err := s.journal.store(draft{body: shard.after, live: kept, postings: shard.postings, counts: shard.counts})
	if err != nil {
		return away(err)
	}
	shard.post()
	shard.own(h)
	if entry != none {
		s.journal.leave(shard.table.slots[entry].place)
	}
	next := slot{tag: tag, place: to, expires: expiry(h, s.config.Horizon)}
	switch {
	case kept && entry != none:
		shard.table.slots[entry] = next
	case kept:
		shard.table.add(next)
	case entry != none:
		shard.table.remove(entry)
	}
	shard.trim()
	return nil
}

// away is an error of the disk as the other parts know it.
func away(err error) error { return fmt.Errorf("%w: %w", rollout.ErrStoreAway, err) }

// expired reports whether the holding is to be forgotten.
func expired(h *rollout.Holding, horizon time.Duration, now time.Time) bool {
	expires := h.Expires(horizon)
	return len(h.Claims) == 0 || expires != 0 && expires <= now.UnixMilli()
}

// expiry returns when the sweeper may forget the holding, in whole seconds since
// 1970; 0 while a claim is open.
func expiry(h *rollout.Holding, horizon time.Duration) uint32 {
	return uint32((h.Expires(horizon) + 999) / 1000)
}
