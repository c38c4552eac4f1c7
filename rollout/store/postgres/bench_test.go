package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// BenchmarkClaims claims new documents, a document per op; "settled" claims and
// settles each, two Updates an op. "single" is what a gateway without batches
// does: one interactive transaction for each, on as many connections as a pool
// reasonably has. PGTEST_FSYNC=1 makes the database as durable as a real one.
func BenchmarkClaims(b *testing.B) {
	for _, writers := range []int{64, 256} {
		b.Run(fmt.Sprintf("batched/writers=%d", writers), func(b *testing.B) {
			store := open(b, server.Database(b))
			spread(b, writers, func(n int64) error {
				return tried(store, "doc-"+strconv.FormatInt(n, 10))
			})
		})
		b.Run(fmt.Sprintf("settled/writers=%d", writers), func(b *testing.B) {
			store := open(b, server.Database(b))
			spread(b, writers, func(n int64) error {
				doc := "doc-" + strconv.FormatInt(n, 10)
				if err := tried(store, doc); err != nil {
					return err
				}
				return store.Update(context.Background(), doc, func(h *rollout.Holding, at rollout.Instant) error {
					h.Judge(intent, rollout.Ending{Fate: rollout.FateGood, Took: time.Second}, at)
					return h.Sent(intent, "gateway-1", true, at)
				})
			})
		})
		b.Run(fmt.Sprintf("single/writers=%d", writers), func(b *testing.B) {
			dsn := server.Database(b)
			open(b, dsn)
			pool, err := pgxpool.New(b.Context(), dsn+"&pool_max_conns=32")
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			spread(b, writers, func(n int64) error { return single(pool, n) })
		})
	}
}

// tried claims a document that counts.
func tried(store *postgres.Store, docID string) error {
	return store.Update(context.Background(), docID, func(h *rollout.Holding, at rollout.Instant) error {
		_, err := h.Take(rollout.Ask{Intent: intent, Owner: "gateway-1", Temporal: true, Counts: true, Own: rollout.All}, at)
		return err
	})
}

// spread runs op for 1 .. b.N from so many writers.
func spread(b *testing.B, writers int, op func(n int64) error) {
	var next atomic.Int64
	var running sync.WaitGroup
	b.ResetTimer()
	for range writers {
		running.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := op(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
}

// single is one claim in a transaction of its own: read under a row lock, write.
func single(pool *pgxpool.Pool, n int64) error {
	ctx := context.Background()
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var epoch int64
		if err := tx.QueryRow(ctx, `SELECT policy_epoch FROM sluice_control WHERE one FOR SHARE`).Scan(&epoch); err != nil {
			return err
		}
		key := []byte(fmt.Sprintf("%016d", n))
		var record []byte
		if err := tx.QueryRow(ctx, `SELECT record FROM sluice_claims WHERE doc_key = $1`, key).Scan(&record); err != pgx.ErrNoRows {
			return fmt.Errorf("found a record: %w", err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO sluice_claims (doc_key, record, stamp, owners, expires) VALUES ($1, $2, 1, '{gateway-1}', 0)`, key, make([]byte, 110))
		return err
	})
}

// BenchmarkPolicyUnderLoad puts a new policy in force per op while two gateways
// claim as fast as they can: how long a rollback waits for commits under way.
func BenchmarkPolicyUnderLoad(b *testing.B) {
	dsn := server.Database(b)
	stores := []*postgres.Store{open(b, dsn), open(b, dsn)}
	var stop atomic.Bool
	var running sync.WaitGroup
	var n atomic.Int64
	for w := range 256 {
		running.Go(func() {
			for !stop.Load() {
				if _, err := take(stores[w%2], "doc-"+strconv.FormatInt(n.Add(1), 10), intent, "gateway-1"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	longest := time.Duration(0)
	b.ResetTimer()
	for i := range b.N {
		begin := time.Now()
		offer(b, stores[0], "leader", percent(b, float64(i%2)))
		longest = max(longest, time.Since(begin))
	}
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "claims/s")
	b.ReportMetric(float64(longest.Milliseconds()), "max-ms")
	stop.Store(true)
	running.Wait()
}
