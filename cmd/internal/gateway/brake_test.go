package gateway

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/store/brake"
)

// ledger is a shared store of the brake in memory, which may be away.
type ledger struct {
	now  rollout.Brake
	away bool
}

var errAway = errors.New("away")

func (l *ledger) SetBrake(_ context.Context, act rollout.Brake) (rollout.Brake, error) {
	if l.away {
		return rollout.Brake{}, errAway
	}
	l.now, _ = l.now.After(act)
	return l.now, nil
}

func (l *ledger) Brake(context.Context) (rollout.Brake, error) { return l.now, nil }

func brakeOn(path string, l *ledger) *braking {
	return &braking{file: brake.Open(path, zap.NewNop()), store: l, log: zap.NewNop()}
}

// With the store away a rollback is in force here, outlives this process, and is
// stored as soon as that is possible. The store's rules from then on.
func TestARollbackIsKeptUntilItIsStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "brake.json")
	l := &ledger{now: rollout.Brake{Exposure: rollout.All}, away: true}
	b := brakeOn(path, l)
	if err := b.Lower(t.Context(), rollout.Brake{Actor: "ada"}); !errors.Is(err, rollout.ErrBrakeHere) || b.file.Brake().Exposure != rollout.None {
		t.Fatalf("%v, %+v", err, b.file.Brake())
	}
	if err := b.Release(t.Context(), rollout.Brake{Exposure: rollout.All}); err == nil || b.file.Brake().Exposure != rollout.None {
		t.Errorf("released with the store away: %v", err)
	}
	b = brakeOn(path, l) // a restart
	if got := b.file.Brake(); got.Exposure != rollout.None || got.Actor != "ada" {
		t.Errorf("after a restart: %+v", got)
	}
	b.heard(b.stored.Load())
	l.away = false
	if _, err := b.tell(t.Context()); err != nil || l.now.Exposure != rollout.None || l.now.Actor != "ada" {
		t.Errorf("%v, stored: %+v", err, l.now)
	}
	if b.file.Brake().Exposure != rollout.None {
		t.Error("it is withdrawn before the store's policy has been heard")
	}
	b.heard(b.stored.Load())
	if err := b.Release(t.Context(), rollout.Brake{Exposure: rollout.All}); err != nil || b.file.Brake().Exposure != rollout.All || l.now.Exposure != rollout.All {
		t.Errorf("released: %v, %+v, %+v", err, b.file.Brake(), l.now)
	}
}

// A ceiling above what others have set meanwhile changes nothing, here or there.
func TestACeilingAboveTheStoresIsRefused(t *testing.T) {
	l := &ledger{now: rollout.Brake{Exposure: 200_000, Actor: "bob"}}
	b := brakeOn(filepath.Join(t.TempDir(), "brake.json"), l)
	if err := b.Lower(t.Context(), rollout.Brake{Exposure: 300_000, Actor: "ada"}); !errors.Is(err, rollout.ErrBrakeLower) {
		t.Error(err)
	}
	if b.file.Brake().Exposure != rollout.All || l.now.Actor != "bob" {
		t.Errorf("%+v, %+v", b.file.Brake(), l.now)
	}
}

// The lower of all three rules, and the same policy is given for the same three.
func TestTheBrakeHereLowersThePolicy(t *testing.T) {
	own := &rollout.Policy{Flag: 500_000, Plan: rollout.All, Brake: rollout.All}
	file := brake.Open(filepath.Join(t.TempDir(), "brake.json"), zap.NewNop())
	c := ceilings{own: func() *rollout.Policy { return own }, brake: file.Brake}
	if c.policy() != own {
		t.Error("released, it is another policy")
	}
	set := func(e rollout.Exposure) {
		if err := file.Set(rollout.Brake{Exposure: e, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	set(100_000)
	for _, stored := range []*rollout.Policy{nil, {Epoch: 7, Flag: 500_000, Plan: rollout.All, Brake: rollout.All}, {Epoch: 8, Flag: 500_000, Plan: rollout.All, Brake: 50_000}} {
		want := rollout.Exposure(100_000)
		if c.stored.Store(stored); stored != nil {
			want = min(want, stored.Brake)
		}
		if got := c.policy(); got.Exposure() != want || got != c.policy() {
			t.Errorf("under %+v: %+v", stored, got)
		}
	}
	c.stored.Store(nil)
	set(0)
	if got := c.policy().Decide(rollout.Question{}); got.Path != rollout.Legacy || got.Reason != rollout.ReasonBrake {
		t.Errorf("decided %+v", got)
	}
}
