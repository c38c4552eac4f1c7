package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
)

// The tests in this file stop the server, so they are not parallel.

func TestDatabaseCrashesUnderLoad(t *testing.T) {
	dsn := server.Database(t)
	stores := []*postgres.Store{open(t, dsn), open(t, dsn)}
	const writers = 16
	var stop atomic.Bool
	var running sync.WaitGroup
	var acknowledged, unknown [writers]int
	var refused atomic.Int64
	for w := range writers {
		running.Go(func() {
			for !stop.Load() {
				err := count(t.Context(), stores[w%2], fmt.Sprint("doc-", w))
				switch {
				case err == nil:
					acknowledged[w]++
				case errors.Is(err, postgres.ErrUnknown):
					unknown[w]++
				case errors.Is(err, postgres.ErrAway):
					refused.Add(1)
					time.Sleep(time.Millisecond)
				default:
					t.Errorf("neither away nor unknown: %v", err)
					return
				}
			}
		})
	}
	for i := range 4 {
		time.Sleep(150 * time.Millisecond)
		if i%2 == 0 {
			server.Kill()
		} else {
			server.Stop()
		}
		time.Sleep(50 * time.Millisecond)
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(150 * time.Millisecond)
	stop.Store(true)
	running.Wait()
	for _, store := range stores {
		eventually(t, "a store recovers", func() bool { return count(t.Context(), store, "after") == nil })
	}
	all, open := 0, 0
	for w := range writers {
		stored := counted(t, stores[0], fmt.Sprint("doc-", w))
		if stored < acknowledged[w] || stored > acknowledged[w]+unknown[w] {
			t.Errorf("writer %d: %d stored, %d acknowledged, %d unknown", w, stored, acknowledged[w], unknown[w])
		}
		all, open = all+acknowledged[w], open+unknown[w]
	}
	t.Logf("%d acknowledged, %d unknown, %d refused", all, open, refused.Load())
	if all == 0 || refused.Load() == 0 {
		t.Error("the server did not restart under load")
	}
}

func TestDatabaseAwayAtOpen(t *testing.T) {
	dsn := server.Database(t)
	server.Stop()
	store := open(t, dsn)
	_, first := take(store, "doc", intent, "a")
	_, _, second := offered(t, store, "a", percent(t, 10))
	third := store.Open(t.Context(), func(*rollout.Holding) error { return nil })
	for _, err := range []error{first, second, third} {
		if !errors.Is(err, postgres.ErrAway) || errors.Is(err, postgres.ErrUnknown) {
			t.Errorf("got %v", err)
		}
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store finds the database", func() bool {
		_, err := take(store, "doc", intent, "a")
		return err == nil
	})
	offer(t, store, "a", percent(t, 10))
}
