package claims_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// list is a list of errands in memory.
type list struct {
	mu      sync.Mutex
	begun   uint64 // guarded by mu
	kept    int    // guarded by mu
	cleared int    // guarded by mu
	full    error  // guarded by mu
}

func (l *list) Begin(rollout.Errand) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full != nil {
		return 0, l.full
	}
	l.begun++
	l.kept++
	return l.begun, nil
}

func (l *list) End(uint64, bool, time.Time) error { return nil }

func (l *list) Clear() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = 0
	l.cleared++
	return nil
}

// lonely is a gateway that sends documents without a claim while the store is away.
type lonely struct {
	*gateway
	*claims.Away
	list *list
}

const (
	awayLimit  = 15 * time.Minute
	awayLegacy = 10 * time.Second
)

// alone runs a gateway in a bubble until the test ends.
func alone(t *testing.T, left ...rollout.Errand) *lonely {
	t.Helper()
	l := &lonely{gateway: newGateway("self", newRecords(), newTemporal()), list: &list{}}
	config := claims.AwayConfig{
		Errands: l.list, Left: left, Owner: "self", Limit: awayLimit, LegacyTimeout: awayLegacy, Horizon: horizon, Log: zap.NewNop(),
	}
	if len(left) > 0 {
		config.Succeeds = []string{"dead"}
	}
	l.Away = claims.NewAway(config)
	l.gateway.Book = claims.New(claims.Config{
		Store: l.records, Roll: l.records, Temporal: l.temporal, Gate: l.temporal, Limit: anHour, Owner: "self", IDs: rollout.WorkflowIDs{Prefix: "ingest"}, LegacyTimeout: awayLegacy,
		Lease: 3 * time.Second, StoreTimeout: time.Second, Observer: l.counts, Log: zap.NewNop(), Away: l.Away,
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = l.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return l
}

// agree is an Offer that is granted.
func (l *lonely) agree(want rollout.Exposure) rollout.Pledge {
	p := l.Pledge(want, want)
	l.Agreed(time.Now(), rollout.Accord{Floor: p.Floor})
	return p
}

// post asks for a claim at a bucket, with an intent of its own.
func (l *lonely) post(t *testing.T, bucket rollout.Bucket) (*claims.Ticket, error) {
	t.Helper()
	return l.Take(t.Context(), fmt.Sprint("doc-", bucket), rollout.Ask{Intent: "d1", Route: "documents", Bucket: bucket, Temporal: true})
}

func (l *lonely) passes(t *testing.T, bucket rollout.Bucket) bool {
	t.Helper()
	ticket, err := l.post(t, bucket)
	if err != nil {
		if !errors.Is(err, claims.ErrStore) {
			t.Errorf("got %v", err)
		}
		return false
	}
	if limit, bounded := ticket.Limit(); !bounded || limit != awayLegacy {
		t.Errorf("it may be at legacy for %v (%v), and the pledge holds for %v", limit, bounded, awayLegacy)
	}
	if ticket.Path != rollout.Legacy || ticket.Step != rollout.StepSend || ticket.Reason != rollout.ReasonStoreAway {
		t.Errorf("granted %+v", ticket.Grant)
	}
	if err := ticket.Sent(t.Context(), true, rollout.Ending{}); err != nil {
		t.Error(err)
	}
	return true
}

func TestAwayPassesAtOrAboveTheFloorForItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.records.fail(rollout.ErrStoreAway, false)
		if l.passes(t, 999_999) {
			t.Error("it passes before anything was agreed")
		}
		l.agree(300_000)
		for _, bucket := range []rollout.Bucket{0, 299_999, 300_000, 999_999} {
			if got := l.passes(t, bucket); got != (bucket >= 300_000) {
				t.Errorf("bucket %d passes at a floor of 30 %%: %v", bucket, got)
			}
		}
		time.Sleep(awayLimit - time.Millisecond)
		if !l.passes(t, 300_000) {
			t.Error("it does not pass in its time")
		}
		time.Sleep(time.Millisecond)
		if l.passes(t, 300_000) {
			t.Error("it passes after its time")
		}
		if got := l.Floor(); got != rollout.All {
			t.Errorf("the floor is %v", got)
		}
	})
}

// What the store answers is no absence.
func TestAwayPassesNothingThatTheStoreRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.agree(300_000)
		for err, want := range map[error]bool{
			errors.New("another migration"): false, rollout.ErrStoreAway: true, rollout.ErrOutcomeUnknown: true, context.DeadlineExceeded: true,
		} {
			l.records.fail(err, false)
			if got := l.passes(t, 500_000); got != want {
				t.Errorf("%v: passes %v", err, got)
			}
		}
		l.list.mu.Lock()
		l.list.full = errors.New("full")
		l.list.mu.Unlock()
		if l.passes(t, 500_000) {
			t.Error("it passes and is not kept")
		}
	})
}

// As long as something has no claim the pledged floor stays; then it rises at once.
func TestFloorStaysUntilAllIsOnRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.agree(300_000)
		l.records.fail(rollout.ErrStoreAway, false)
		ticket, err := l.post(t, 400_000)
		if err != nil || !l.passes(t, 500_000) {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		l.records.fail(nil, false)
		time.Sleep(time.Second)
		if p := l.agree(600_000); p.Floor != 300_000 || l.Unrecorded() != 1 {
			t.Errorf("one is under way: %+v, %d", p, l.Unrecorded())
		}
		if h, _ := l.Get(t.Context(), "doc-500000"); len(h.Claims) != 1 || h.Claims[0].State != rollout.ClaimDone || time.Since(time.UnixMilli(h.Claims[0].Settled)) < time.Minute {
			t.Errorf("the other one's claim: %+v", h.Claims)
		}
		if err := ticket.Sent(t.Context(), false, rollout.Ending{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if h, _ := l.Get(t.Context(), "doc-400000"); len(h.Claims) != 1 || h.Claims[0].State != rollout.ClaimLost || h.Claims[0].Path != rollout.Legacy {
			t.Errorf("its claim: %+v", h.Claims)
		}
		if p := l.agree(600_000); p.Floor != 600_000 || l.list.kept != 0 || l.list.cleared != 1 {
			t.Errorf("all are on record: %+v, %d kept", p, l.list.kept)
		}
		if l.counts.taken != 2 || l.counts.settled[rollout.ClaimDone] != 1 || l.counts.settled[rollout.ClaimLost] != 1 {
			t.Errorf("counted %d taken, %v settled", l.counts.taken, l.counts.settled)
		}
	})
}

// A pledge whose offer failed may have been taken: its higher floor holds here.
func TestFloorRisesBeforeThePledgeIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.agree(300_000)
		l.Pledge(600_000, 0) // no answer
		l.records.fail(rollout.ErrStoreAway, false)
		if l.passes(t, 599_999) || !l.passes(t, 600_000) {
			t.Error("it passes below a floor that it may have pledged")
		}
	})
}

// A claim whose commit got no answer, and the document that went on all the same,
// become one claim.
func TestClaimOfUnknownFateAndItsErrandAreOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.records.policy = rollout.None
		l.agree(300_000)
		l.records.fail(rollout.ErrOutcomeUnknown, true)
		ticket, err := l.post(t, 400_000)
		if err != nil || ticket.Reason != rollout.ReasonStoreAway {
			t.Fatalf("%+v, %v", ticket, err)
		}
		time.Sleep(time.Minute)
		if err := ticket.Sent(t.Context(), true, rollout.Ending{}); err != nil {
			t.Fatal(err)
		}
		l.records.fail(nil, false)
		time.Sleep(time.Minute)
		h, _ := l.Get(t.Context(), "doc-400000")
		if len(h.Claims) != 1 || h.Claims[0].Open() || h.Claims[0].Path != rollout.Legacy || l.Unrecorded() != 0 {
			t.Errorf("%+v, %d unrecorded", h.Claims, l.Unrecorded())
		}
	})
}

// The errands of a process that was killed get their claims, and only then its
// pledge is to end.
func TestLeftErrandsAreRecordedBeforeTheirOwnerIsSucceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(-time.Second)
		l := alone(t,
			rollout.Errand{DocID: "ended", Intent: "d1", Route: "documents", Owner: "dead", Began: began, Ended: began, Answered: true},
			rollout.Errand{DocID: "open", Intent: "d1", Route: "documents", Owner: "dead", Began: began})
		l.records.fail(rollout.ErrStoreAway, false)
		if p := l.Pledge(300_000, 0); len(p.Succeeds) > 0 || p.Floor != rollout.All {
			t.Errorf("before: %+v", p)
		}
		l.records.fail(nil, false)
		time.Sleep(time.Second)
		for id, want := range map[string]rollout.ClaimState{"ended": rollout.ClaimDone, "open": rollout.ClaimOpen} {
			if h, _ := l.Get(t.Context(), id); len(h.Claims) != 1 || h.Claims[0].State != want {
				t.Errorf("%s: %+v", id, h.Claims)
			}
		}
		if p := l.agree(300_000); len(p.Succeeds) != 1 || p.Floor != 300_000 {
			t.Errorf("after: %+v", p)
		}
		if p := l.agree(300_000); len(p.Succeeds) != 0 || l.list.cleared == 0 {
			t.Errorf("once it is succeeded: %+v", p)
		}
		time.Sleep(awayLegacy + time.Second) // and the sweep after it
		if h, _ := l.Get(t.Context(), "open"); h.Claims[0].State != rollout.ClaimLost {
			t.Errorf("after legacy's time: %+v", h.Claims)
		}
	})
}

func TestLeavingPassesNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := alone(t)
		l.agree(300_000)
		l.records.fail(rollout.ErrStoreAway, false)
		if !l.passes(t, 400_000) || l.Leave(t.Context()) || l.passes(t, 400_000) {
			t.Error("it left with something unrecorded, or passes more")
		}
		l.records.fail(nil, false)
		if !l.Leave(t.Context()) {
			t.Error("nothing is unrecorded and it cannot leave")
		}
	})
}
