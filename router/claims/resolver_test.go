package claims_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
)

var errLost = errors.New("connection reset")

// resolving runs a test in a bubble with one gateway whose resolver works.
func resolving(t *testing.T, test func(t *testing.T, g *gateway)) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway("one", newRecords(), newTemporal())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = g.Run(ctx) }()
		test(t, g)
		cancel()
		<-done
	})
}

// pass lets the resolver do what it has to do.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestLostStartThatNeverArrivedIsFencedOff(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		ticket := g.take(t, "k", true)
		if moved, err := ticket.Ran(t.Context(), rollout.Run{}, errLost); moved || err != nil {
			t.Fatalf("moved %v, %v", moved, err)
		}
		pass(time.Second)
		if c := g.claim(t, "k"); c.State != rollout.ClaimVoid {
			t.Errorf("%+v", c)
		}
		if !g.temporal.fenced[ticket.WorkflowID()] || g.Unresolved() != 0 {
			t.Error("there is no tombstone, or the life is still on the list")
		}
		// Nothing ran: a retry is decided afresh, under another workflow ID.
		if again := g.take(t, "k", false); again.Step != rollout.StepSend || again.Life != ticket.Life+1 {
			t.Errorf("%+v", again.Grant)
		}
	})
}

func TestLostStartThatArrivedIsFollowed(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		ticket := g.take(t, "k", true)
		g.temporal.set(ticket.WorkflowID(), rollout.RunRunning, "")
		if _, err := ticket.Ran(t.Context(), rollout.Run{}, errLost); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if c := g.claim(t, "k"); !c.Open() || !c.Accepted {
			t.Errorf("running: %+v", c)
		}
		if joined := g.take(t, "k", false); joined.Step != rollout.StepJoin || joined.Life != ticket.Life {
			t.Errorf("a retry: %+v", joined.Grant)
		}
		g.temporal.set(ticket.WorkflowID(), rollout.RunCompleted, "")
		pass(time.Minute)
		if c := g.claim(t, "k"); c.State != rollout.ClaimDone || g.counts.settled[rollout.ClaimDone] != 1 {
			t.Errorf("completed: %+v", c)
		}
	})
}

// While Temporal is away nothing is settled, and nothing goes elsewhere.
func TestNothingIsSettledWhileTemporalIsAway(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		g.temporal.goAway(errLost)
		ticket := g.take(t, "k", true)
		_, _ = ticket.Ran(t.Context(), rollout.Run{}, errLost)
		pass(time.Minute)
		if c := g.claim(t, "k"); !c.Open() || c.Unsettled != 1 {
			t.Errorf("%+v", c)
		}
		second := g.take(t, "k", true)
		if moved, err := second.Ran(t.Context(), rollout.Run{}, rollout.ErrNotAccepted); moved || err != nil {
			t.Errorf("a later proof: moved %v, %v", moved, err)
		}
		g.temporal.goAway(nil)
		pass(time.Minute)
		if c := g.claim(t, "k"); c.State != rollout.ClaimVoid {
			t.Errorf("after it came back: %+v", c)
		}
	})
}

// A tombstone proves nothing once Temporal may have forgotten the run.
func TestOldUnsettledClaimIsLeftToTheOperator(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		g.temporal.goAway(errLost)
		ticket := g.take(t, "k", true)
		_, _ = ticket.Ran(t.Context(), rollout.Run{}, errLost)
		pass(24 * time.Hour)
		g.temporal.goAway(nil)
		pass(time.Hour) // many looks
		if c := g.claim(t, "k"); !c.Open() || !c.Stuck || len(g.temporal.fenced) > 0 || g.counts.stuck != 1 {
			t.Errorf("%+v, %v, stuck %d", c, g.temporal.fenced, g.counts.stuck)
		}
	})
}

// A run that Temporal forgot is the operator's, until it turns up after all.
func TestForgottenRunIsStuckAndTold(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		ticket := g.take(t, "k", true)
		if _, err := ticket.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, nil); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		if c := g.claim(t, "k"); !c.Stuck || !c.Open() || g.counts.stuck != 1 || !g.Suspects("a", "k", ticket.Life) {
			t.Errorf("%+v, told of %d times", c, g.counts.stuck)
		}
		g.temporal.set(ticket.WorkflowID(), rollout.RunRunning, "")
		pass(time.Minute)
		if c := g.claim(t, "k"); c.Stuck || !c.Accepted {
			t.Errorf("it runs: %+v", c)
		}
		g.temporal.set(ticket.WorkflowID(), rollout.RunCompleted, "")
		pass(time.Minute)
		if c := g.claim(t, "k"); c.State != rollout.ClaimDone || g.Suspects("a", "k", ticket.Life) {
			t.Errorf("it completed: %+v", c)
		}
	})
}

// A start is acknowledged, or its document moved, between the tombstone and the
// note of it: the next look goes by what is on record then.
func TestTombstoneOfALifeThatChangedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(h *rollout.Holding, life uint64, at rollout.Instant) error
		stuck     bool
	}{
		"acknowledged": {func(h *rollout.Holding, life uint64, _ rollout.Instant) error {
			return h.Attempted("k", life, rollout.VerdictAccepted)
		}, true},
		"moved": {func(h *rollout.Holding, life uint64, at rollout.Instant) error {
			if err := h.Attempted("k", life, rollout.VerdictNothing); err != nil {
				return err
			}
			return h.Move("k", life, "two", at)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			resolving(t, func(t *testing.T, g *gateway) {
				ticket := g.take(t, "k", true)
				g.temporal.onFence(func() {
					err := g.records.Update(t.Context(), "a", func(h *rollout.Holding, at rollout.Instant) error { return c.meanwhile(h, ticket.Life, at) })
					if err != nil {
						t.Error(err)
					}
				})
				if _, err := ticket.Ran(t.Context(), rollout.Run{}, errLost); err != nil {
					t.Fatal(err)
				}
				pass(time.Hour)
				got := g.claim(t, "k")
				if got.Stuck != c.stuck || c.stuck && !got.Open() || c.stuck != (g.counts.stuck == 1) {
					t.Errorf("%+v, stuck %d", got, g.counts.stuck)
				}
				if g.Suspects("a", "k", ticket.Life) != c.stuck {
					t.Errorf("the resolver looks at it: %v", !c.stuck)
				}
			})
		})
	}
}

func TestFailuresAreTold(t *testing.T) {
	for failure, want := range map[string]rollout.ClaimState{
		"IngestionFailed": rollout.ClaimFailed, "DeadLetter": rollout.ClaimDead, rollout.FailureTimeout: rollout.ClaimDead,
		rollout.FailureTerminated: rollout.ClaimDead, rollout.FailureCanceled: rollout.ClaimFailed, rollout.FailureBadResult: rollout.ClaimDone,
	} {
		g := newGateway("one", newRecords(), newTemporal())
		ticket := g.take(t, "k", true)
		run := rollout.Run{State: rollout.RunFailed, Failure: rollout.Failure{Type: failure}}
		if _, err := ticket.Ran(t.Context(), run, nil); err != nil {
			t.Fatal(err)
		}
		if c := g.claim(t, "k"); c.State != want {
			t.Errorf("%s: %s, want %s", failure, c.State, want)
		}
	}
}

// What was written although the store said that it failed is put right.
func TestUnknownCommitIsReconciled(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		g.records.fail(errLost, true)
		if _, err := g.Take(t.Context(), "a", ask("k", false)); err == nil {
			t.Fatal("the store failed and the claim was granted")
		}
		if c := g.claim(t, "k"); len(c.Sends) != 1 {
			t.Fatalf("%+v", c)
		}
		g.records.fail(nil, false)
		pass(time.Second)
		if c := g.claim(t, "k"); c.Open() || len(c.Sends) > 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestWaiterThatGivesUpLeavesNothingOpen(t *testing.T) {
	g := newGateway("one", newRecords(), newTemporal())
	first := g.take(t, "k1", true)
	if _, err := first.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, nil); err != nil {
		t.Fatal(err)
	}
	second := g.take(t, "k2", true)
	if second.Step != rollout.StepWait || second.Predecessor.Intent != "k1" {
		t.Fatalf("%+v", second.Grant)
	}
	if err := second.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := g.claim(t, "k2"); c.State != rollout.ClaimVoid {
		t.Errorf("%+v", c)
	}
	if err := first.Ended(t.Context(), rollout.Run{State: rollout.RunCompleted}); err != nil {
		t.Fatal(err)
	}
	if again := g.take(t, "k2", true); again.Step != rollout.StepStart || again.Life != second.Life+1 {
		t.Errorf("%+v", again.Grant)
	}
}
