package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/pgtest"
	"sluice/rollout/store/postgres"
)

// proxied opens a Store whose connections pass through a proxy.
func proxied(t *testing.T) (store, direct *postgres.Store, proxy *pgtest.Proxy) {
	t.Helper()
	dsn := server.Database(t)
	proxy, err := pgtest.NewProxy(server.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return open(t, strings.Replace(dsn, server.Address(), proxy.Address(), 1)), open(t, dsn), proxy
}

func isCommit(answer []byte) bool { return bytes.Contains(answer, []byte("COMMIT\x00")) }

// The connection ends between COMMIT and its answer: the stamp tells that the
// change has committed, and it is not made twice.
func TestCommitThatWasNotAnswered(t *testing.T) {
	t.Parallel()
	store, direct, proxy := proxied(t)
	var cuts atomic.Int32
	proxy.CutBefore(func(answer []byte) bool { return isCommit(answer) && cuts.Add(1) == 1 })
	calls := 0
	err := store.Update(t.Context(), "doc", func(h *rollout.Holding, _ rollout.Instant) error {
		calls++
		h.Claims = append(h.Claims, rollout.Claim{Intent: intent, Attempts: 1})
		h.Counts = append(h.Counts, rollout.Count{Epoch: 1, Event: rollout.EventGood, Times: 1})
		return nil
	})
	if err != nil || cuts.Load() == 0 || calls != 1 {
		t.Fatalf("%v after %d cuts and %d calls", err, cuts.Load(), calls)
	}
	if got, events := counted(t, direct, "doc"), good(t, direct); got != 1 || events != 1 {
		t.Errorf("the change was made %d times and counted %d times", got, events)
	}
}

// The same, and the database cannot be reached any more: nobody knows.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	store, direct, proxy := proxied(t)
	var cut atomic.Bool
	proxy.CutBefore(func(answer []byte) bool {
		if isCommit(answer) {
			cut.Store(true)
		}
		return cut.Load()
	})
	if err := count(t.Context(), store, "doc"); !errors.Is(err, postgres.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
	if got := counted(t, direct, "doc"); got != 1 {
		t.Errorf("the change was made %d times; here it had committed", got)
	}
	proxy.CutBefore(nil)
	eventually(t, "the store recovers", func() bool { return count(t.Context(), store, "doc") == nil })
	if got, events := counted(t, direct, "doc"), good(t, direct); got != 2 || events != 2 {
		t.Errorf("%d changes are stored, %d were counted", got, events)
	}
}

// The same, and another gateway has changed the document before this one looks:
// its stamp hides whether this one's was there before.
func TestUnknownOutcomeUnderAnotherChange(t *testing.T) {
	t.Parallel()
	store, direct, proxy := proxied(t)
	var cuts atomic.Int32
	proxy.CutBefore(func(answer []byte) bool {
		if !isCommit(answer) || cuts.Add(1) > 1 {
			return false
		}
		if err := count(context.Background(), direct, "doc"); err != nil {
			t.Error(err)
		}
		return true
	})
	if err := count(t.Context(), store, "doc"); !errors.Is(err, postgres.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
	if got, events := counted(t, direct, "doc"), good(t, direct); got != 2 || events != 2 {
		t.Errorf("%d changes are stored, %d were counted", got, events)
	}
}

// The transaction never reached the server: the change is made again, once.
func TestCommitThatNeverArrived(t *testing.T) {
	t.Parallel()
	store, direct, proxy := proxied(t)
	var freezes atomic.Int32
	store.Freeze(func() {
		if freezes.Add(1) == 1 {
			proxy.Sever()
		}
	})
	if err := count(t.Context(), store, "doc"); err != nil {
		t.Fatal(err)
	}
	if got, events := counted(t, direct, "doc"), good(t, direct); got != 1 || events != 1 || freezes.Load() != 2 {
		t.Errorf("the change was stored %d times, and counted %d times, after %d attempts", got, events, freezes.Load())
	}
}

// A caller that leaves is told what it can know, and its change is not called
// after that.
func TestCallerThatLeaves(t *testing.T) {
	t.Parallel()
	store := open(t, server.Database(t), func(cfg *postgres.Config) { cfg.Committers = 1 })
	began, thaw := make(chan struct{}), make(chan struct{})
	var freezes atomic.Int32
	store.Freeze(func() {
		if freezes.Add(1) == 1 {
			close(began)
			<-thaw
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	results := make(chan error, 2)
	go func() { results <- count(ctx, store, "doc") }()
	<-began
	late := func(*rollout.Holding, rollout.Instant) error {
		t.Error("a change was called whose caller had left")
		return nil
	}
	gone, cancel := context.WithCancel(t.Context())
	go func() { results <- store.Update(gone, "doc", late) }()
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) || errors.Is(err, postgres.ErrUnknown) {
		t.Errorf("before the change began: %v", err)
	}
	leave()
	if err := <-results; !errors.Is(err, context.Canceled) || !errors.Is(err, postgres.ErrUnknown) {
		t.Errorf("after the change began: %v", err)
	}
	close(thaw)
	eventually(t, "the change commits all the same", func() bool { return counted(t, store, "doc") == 1 })
}

// The same when the change would have to be made again.
func TestChangeIsNotCalledAfterItsCallerLeft(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store, other := open(t, dsn), open(t, dsn)
	began, thaw := make(chan struct{}), make(chan struct{})
	store.Freeze(sync.OnceFunc(func() {
		close(began)
		<-thaw
	}))
	ctx, leave := context.WithCancel(t.Context())
	var calls atomic.Int32
	result := make(chan error)
	go func() {
		result <- store.Update(ctx, "doc", func(h *rollout.Holding, _ rollout.Instant) error {
			calls.Add(1)
			h.Claims = append(h.Claims, rollout.Claim{Intent: "late"})
			return nil
		})
	}()
	<-began
	if err := count(t.Context(), other, "doc"); err != nil { // what the frozen one read is not so any more
		t.Fatal(err)
	}
	leave()
	if err := <-result; !errors.Is(err, postgres.ErrUnknown) {
		t.Errorf("got %v", err)
	}
	close(thaw)
	if err := count(t.Context(), store, "doc"); err != nil { // the same lane: it comes after
		t.Fatal(err)
	}
	if got := counted(t, other, "doc"); got != 2 || calls.Load() != 1 {
		t.Errorf("%d changes are stored; the change was called %d times", got, calls.Load())
	}
}
