package claims_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/claims"
)

// own is a store's mark in memory.
type own struct {
	mark rollout.Exposure
	full error
}

func (o *own) Mark() rollout.Exposure { return o.mark }

func (o *own) Raise(to rollout.Exposure) error {
	if o.full == nil {
		o.mark = to
	}
	return o.full
}

// With a store of one's own nobody has to be asked, however long it cannot be used.
func TestAloneTheFloorIsTheMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, store := alone(t), &own{}
		l.records.fail(rollout.ErrStoreAway, false)
		if l.passes(t, 999_999) {
			t.Error("it passes before anything was agreed")
		}
		for range 3 {
			if err := l.Agree(rollout.None, store); err != nil || !l.passes(t, 0) {
				t.Errorf("nothing was ever on Temporal, and bucket 0 does not pass: %v", err)
			}
			time.Sleep(awayLimit - time.Millisecond)
		}
		time.Sleep(time.Millisecond)
		if l.passes(t, 0) {
			t.Error("it passes though nobody agrees any more")
		}
	})
}

// A higher exposure waits until everything has a claim, and comes then.
func TestAloneTheRaiseWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, store := alone(t), &own{}
		if err := l.Agree(300_000, store); err != nil || store.mark != 300_000 {
			t.Fatalf("mark %v, %v", store.mark, err)
		}
		l.records.fail(rollout.ErrStoreAway, false)
		ticket, err := l.post(t, 400_000)
		if err != nil || l.passes(t, 299_999) {
			t.Fatal(err)
		}
		for range 3 {
			if err := l.Agree(600_000, store); err != nil || store.mark != 300_000 || !l.passes(t, 300_000) {
				t.Errorf("one has no claim: mark %v, %v", store.mark, err)
			}
			l.records.fail(nil, false)
			time.Sleep(time.Second)
			l.records.fail(rollout.ErrStoreAway, false)
		}
		if err := l.Agree(100_000, store); err != nil || store.mark != 300_000 || l.passes(t, 200_000) {
			t.Errorf("a lower exposure lowers no mark: %v, %v", store.mark, err)
		}
		if err := ticket.Sent(t.Context(), true, rollout.Ending{}); err != nil {
			t.Fatal(err)
		}
		l.records.fail(nil, false)
		time.Sleep(time.Second)
		if err := l.Agree(600_000, store); err != nil || store.mark != 600_000 {
			t.Errorf("all have claims: mark %v, %v", store.mark, err)
		}
	})
}

// What a process that was killed left keeps the mark where it is, and keeps nobody
// from passing.
func TestAloneAfterADeath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(-time.Second)
		l := alone(t, rollout.Errand{DocID: "left", Intent: "d1", Route: "documents", Owner: "dead", Began: began})
		store := &own{mark: 300_000}
		l.records.fail(rollout.ErrStoreAway, false)
		if err := l.Agree(600_000, store); err != nil || store.mark != 300_000 || !l.passes(t, 300_000) || l.passes(t, 299_999) {
			t.Errorf("mark %v, %v", store.mark, err)
		}
		l.records.fail(nil, false)
		time.Sleep(10 * time.Second)
		if err := l.Agree(600_000, store); err != nil || store.mark != 600_000 || l.list.kept != 0 {
			t.Errorf("it has its claim: mark %v, %v, %d kept", store.mark, err, l.list.kept)
		}
	})
}

// A mark that cannot be kept is none, and what is below the one that was sought
// passes again.
func TestAloneAMarkThatCannotBeKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, store := alone(t), &own{full: errors.New("full")}
		l.records.fail(rollout.ErrStoreAway, false)
		if err := l.Agree(500_000, store); err == nil || !l.passes(t, 0) {
			t.Errorf("got %v", err)
		}
		store.full = nil
		if l.Leave(t.Context()) {
			t.Error("one has no claim")
		}
		if err := l.Agree(500_000, store); err != nil || store.mark != 0 {
			t.Errorf("a gateway that leaves: mark %v, %v", store.mark, err)
		}
	})
}

var _ claims.Own = (*own)(nil)
