// Package unclaimed counts the requests that went to legacy without a claim, because
// no document can be told from them. Nothing protects them from the other path, and
// they never move to it: so their number is to be known before the exposure is raised.
//
// It counts what one gateway passed on since it started, and forgets it after an hour.
package unclaimed

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

const (
	// hour is how many minutes are remembered.
	hour = 60
	// interval is how often the log is told of new ones.
	interval = time.Minute
)

// Requests counts them. The zero value counts none yet. It is safe for concurrent use.
type Requests struct {
	mu      sync.Mutex
	minutes [hour]minute      // guarded by mu
	untold  map[string]uint64 // guarded by mu; by reason, what the log was not told of
}

// minute holds the counts of one minute, by reason.
type minute struct {
	number int64 // since 1970
	counts map[string]uint64
}

// Observe counts a request that was answered, if it is one of these.
func (q *Requests) Observe(record *rollout.Record) {
	if record.Unroutable == "" || !record.Sent {
		return
	}
	now := time.Now().Unix() / 60
	q.mu.Lock()
	defer q.mu.Unlock()
	m := &q.minutes[now%hour]
	if m.number != now || m.counts == nil {
		*m = minute{now, map[string]uint64{}}
	}
	m.counts[record.Unroutable]++
	if q.untold == nil {
		q.untold = map[string]uint64{}
	}
	q.untold[record.Unroutable]++
}

// LastHour returns how many there were within the last hour, by reason; never nil.
func (q *Requests) LastHour() map[string]uint64 {
	now := time.Now().Unix() / 60
	counts := map[string]uint64{}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.minutes {
		if m.number > now-hour {
			for reason, n := range m.counts {
				counts[reason] += n
			}
		}
	}
	return counts
}

// Tell tells the log once a minute how many new ones there were and why, until ctx
// ends.
func (q *Requests) Tell(ctx context.Context, log *zap.Logger) {
	again := time.NewTicker(interval)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			q.tell(log)
			return
		case <-again.C:
			q.tell(log)
		}
	}
}

func (q *Requests) tell(log *zap.Logger) {
	q.mu.Lock()
	counts := q.untold
	q.untold = nil
	q.mu.Unlock()
	if len(counts) == 0 {
		return
	}
	log.Warn("requests went to legacy without a claim, because no document can be told from them: they never move to Temporal",
		zap.Uint64("requests", Sum(counts)), zap.Any("reasons", counts),
		zap.String("hint", "before the exposure is raised, let clients send a usable doc_id, or set rollout.on_unroutable: reject"))
}

// Sum returns how many there are of all reasons.
func Sum(counts map[string]uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// Reasons returns the reasons, the most frequent first.
func Reasons(counts map[string]uint64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b]) - int(counts[a])
		}
		return slices.Compare([]byte(a), []byte(b))
	})
}
