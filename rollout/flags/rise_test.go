package flags_test

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout"
	"sluice/rollout/flags"
)

var down = failed(openfeature.NewGeneralResolutionError("connection refused"))

func TestLoweringNeedsNoOtherFlag(t *testing.T) {
	cases := map[string]struct {
		bad  []string
		edit func(b *board)
		want rollout.Reading
	}{
		"percentage alone": {[]string{flags.Shadow, flags.Kill}, func(b *board) { b.set(flags.Rollout, good(7.0)) },
			rollout.Reading{Rollout: 70_000, Shadow: 600_000}},
		"shadow alone": {[]string{flags.Rollout, flags.Kill}, func(b *board) { b.set(flags.Shadow, good(0.0)) },
			rollout.Reading{Rollout: 400_000}},
		"kill alone": {[]string{flags.Rollout, flags.Shadow}, func(b *board) { b.set(flags.Kill, good(true)) },
			rollout.Reading{Rollout: 400_000, Shadow: 600_000, Kill: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := newBoard(40, 60, false)
				r := start(t, flags.Config{Provider: source.provider})
				c.edit(source)
				for _, key := range c.bad {
					source.set(key, down)
				}
				tick()
				if got := r.Status().InForce; got != c.want {
					t.Errorf("in force %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

func TestRiseWaitsForTheFlagsItDependsOn(t *testing.T) {
	cases := map[string]struct {
		killed bool
		edit   rollout.Reading
		bad    string
		held   rollout.Reading
	}{
		"percentage without kill":       {false, rollout.Reading{Rollout: 500_000, Shadow: 600_000}, flags.Kill, rollout.Reading{Rollout: 400_000, Shadow: 600_000}},
		"shadow without kill":           {false, rollout.Reading{Rollout: 400_000, Shadow: 700_000}, flags.Kill, rollout.Reading{Rollout: 400_000, Shadow: 600_000}},
		"lifted kill, no percentage":    {true, rollout.Reading{Rollout: 10_000, Shadow: 600_000}, flags.Rollout, rollout.Reading{Rollout: 400_000, Shadow: 600_000, Kill: true}},
		"preset numbers, kill not read": {false, rollout.Reading{Rollout: 900_000, Shadow: 600_000, Kill: true}, flags.Kill, rollout.Reading{Rollout: 400_000, Shadow: 600_000}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := newBoard(40, 60, c.killed)
				log, lines := newLog()
				r := start(t, flags.Config{Provider: source.provider, Log: log})
				edit := func() { source.edit(c.edit.Rollout.Percent(), c.edit.Shadow.Percent(), c.edit.Kill) }
				edit()
				source.set(c.bad, down)
				tick()
				tick()
				if got := r.Status(); got.InForce != c.held || !got.Held {
					t.Errorf("in force %+v, held %t; want %+v held", got.InForce, got.Held, c.held)
				}
				if got := lines.FilterMessageSnippet("a rise is held back").Len(); got != 1 {
					t.Errorf("%d lines say that a rise is held back, want 1", got)
				}
				edit()
				tick()
				if got := r.Status(); got.InForce != c.edit || got.Held {
					t.Errorf("with all flags: in force %+v, held %t; want %+v", got.InForce, got.Held, c.edit)
				}
			})
		})
	}
}

func TestShadowFlagHoldsNothingElseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(40, 60, true)
		r := start(t, flags.Config{Provider: source.provider})
		source.edit(50, 60, false)
		source.set(flags.Shadow, down)
		tick()
		if got, want := r.Status().InForce, (rollout.Reading{Rollout: 500_000, Shadow: 600_000}); got != want {
			t.Errorf("in force %+v, want %+v", got, want)
		}
	})
}

// Without a kill flag that was ever read, nothing is known of it.
func TestNothingRisesBeforeTheKillFlagWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newBoard(50, 50, false)
		source.set(flags.Kill, failed(openfeature.NewFlagNotFoundResolutionError("no such flag")))
		boot := percent(t, 5)
		r := start(t, flags.Config{Provider: source.provider, Boot: &boot})
		if got := r.Policy().Exposure(); got != boot {
			t.Errorf("exposure %s, want the boot value", got)
		}
		source.edit(50, 50, false)
		tick()
		if got := r.Policy().Exposure(); got != percent(t, 50) {
			t.Errorf("exposure %s, want 50%%", got)
		}
	})
}

// One edit changes the number and the kill together, and falls between any two
// evaluations of a reading.
func TestEditInTheMiddleOfAReading(t *testing.T) {
	edits := map[string][2]rollout.Reading{
		"kill and preset":  {{Rollout: 10_000}, {Rollout: 500_000, Kill: true}},
		"lower and revive": {{Rollout: 500_000, Kill: true}, {Rollout: 10_000}},
	}
	for name, edit := range edits {
		for position := int32(1); position <= 9; position++ {
			t.Run(fmt.Sprintf("%s before evaluation %d", name, position), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					source := newBoard(edit[0].Rollout.Percent(), 0, edit[0].Kill)
					var evaluations atomic.Int32
					evaluations.Store(math.MinInt32) // not armed
					r := start(t, flags.Config{Provider: newProvider(func(ctx context.Context, key string) answer {
						if evaluations.Add(1) == position {
							source.edit(edit[1].Rollout.Percent(), 0, edit[1].Kill)
						}
						return source.evaluate(ctx, key)
					})})
					synctest.Wait()
					evaluations.Store(0)
					for range 3 {
						tick()
						if got := r.Policy().Exposure(); got > percent(t, 1) {
							t.Errorf("exposure %s: neither side of the edit allows that", got)
						}
					}
					if got := r.Status().InForce; got != edit[1] {
						t.Errorf("in force %+v, want %+v", got, edit[1])
					}
				})
			})
		}
	}
}
