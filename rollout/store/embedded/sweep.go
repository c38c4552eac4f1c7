package embedded

import (
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// sweep forgets what has expired and takes old segments away, until the store is
// closed. A request waits for it at most as long as one shard or one record takes.
func (s *Store) sweep() {
	defer close(s.swept)
	often := time.NewTicker(min(max(s.config.Horizon/16, 20*time.Millisecond), time.Minute))
	defer often.Stop()
	failed := false
	for {
		err := s.reclaim()
		switch {
		case err != nil && !failed:
			s.config.Log.Warn("room that claims no longer need cannot be given back", zap.String("dir", s.config.Dir), zap.Error(err))
		case err == nil && failed:
			s.config.Log.Info("room that claims no longer need is given back again", zap.String("dir", s.config.Dir))
		}
		failed = err != nil
		select {
		case <-s.stop:
			return
		case now := <-often.C:
			s.forget(now)
		case <-s.journal.turned:
		}
	}
}

// forget takes the expired holdings out of the index. Their records need no
// successor: whoever reads them sees that they have expired.
func (s *Store) forget(now time.Time) {
	seconds := uint32(now.Unix())
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		for entry := 0; entry < len(shard.table.slots); {
			slot := shard.table.slots[entry]
			if slot.empty() || slot.expires == 0 || slot.expires > seconds {
				entry++
				continue
			}
			s.journal.leave(slot.place)
			shard.table.remove(entry) // and look again: another may be here now
		}
		shard.table.shrink()
		shard.mu.Unlock()
	}
}

// reclaim takes the oldest segment away as long as that is worth it.
func (s *Store) reclaim() error {
	for !s.closing.Load() {
		if err := s.journal.retire(s.config.Horizon); err != nil {
			return err
		}
		if !s.journal.worth(s.config.Horizon) {
			return nil
		}
		if err := s.empty(s.journal.list()[0]); err != nil {
			return err
		}
		if settled, err := s.journal.settled(); !settled || s.closing.Load() {
			return err // what was moved may be nowhere else
		}
		if err := s.keepBooks(); err != nil {
			return err
		}
		if err := s.journal.drop(); err != nil {
			return err
		}
	}
	return nil
}

// retire ends the head if it holds nothing, or has held old records for longer
// than age, so that it can be emptied like any other.
func (j *journal) retire(age time.Duration) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if g := j.head; g != nil && g.records.Load() > 0 && (g.live.Load() == 0 || g.old(age, time.Now())) {
		return j.end()
	}
	return nil
}

// worth reports whether the oldest segment is to be emptied: nothing in it
// counts; or more of the log is waste than not; or some of it has been waste for
// longer than age; or there are many small segments, as after many restarts.
func (j *journal) worth(age time.Duration) bool {
	j.mu.Lock()
	head := j.head
	j.mu.Unlock()
	list, now := j.list(), time.Now()
	if len(list) == 0 || list[0] == head {
		return false
	}
	used, live := j.waste()
	if list[0].live.Load() == 0 || used-live > live+j.size || len(list) > 4+2*used/j.size {
		return true
	}
	for _, g := range list {
		if g != head && g.old(age, now) {
			return true
		}
	}
	return false
}

// empty copies what counts in a segment to the head, a record at a time.
func (s *Store) empty(g *segment) (err error) {
	defer faults(&err)()
	for offset := 0; offset < g.used && g.live.Load() > 0 && !s.closing.Load(); {
		h, body, sound := g.record(offset)
		if !sound {
			return errDamaged
		}
		if !h.void() && !h.books() {
			holding, err := h.holding(body, nil, nil)
			if err == nil {
				err = s.rescue(place{g.id, uint32(offset)}, holding)
			}
			if err != nil {
				return err
			}
		}
		offset += recordSize(len(body))
	}
	return nil
}

// rescue copies the record's holding to the head if the index points to it.
func (s *Store) rescue(from place, holding []byte) error {
	h, err := rollout.ParseHolding(holding)
	if err != nil {
		return err
	}
	shard, tag := s.shard(h.DocID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	for entry := range shard.table.tagged(tag) {
		slot := &shard.table.slots[entry]
		if slot.place != from {
			continue
		}
		to, err := s.journal.move(holding)
		if err != nil {
			return err
		}
		s.journal.leave(from)
		slot.place = to
		return nil
	}
	return nil
}
