package claims_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/claims"
)

// runs takes the intent's claim, starts its workflow and leaves it running.
func (g *gateway) runs(t *testing.T, intent rollout.Intent) *claims.Ticket {
	t.Helper()
	ticket := g.take(t, intent, true)
	g.temporal.set(ticket.WorkflowID(), rollout.RunRunning, "")
	if _, err := ticket.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, nil); err != nil {
		t.Fatal(err)
	}
	return ticket
}

// delays takes the intent's claim behind another, starts it delayed, and notes
// what became of that.
func (g *gateway) delays(t *testing.T, intent rollout.Intent, failed error) *claims.Ticket {
	t.Helper()
	ticket := g.take(t, intent, true)
	if ticket.Step != rollout.StepWait {
		t.Fatalf("%s: %+v", intent, ticket.Grant)
	}
	if delay, err := ticket.Delay(t.Context()); err != nil || delay <= time.Hour {
		t.Fatalf("%s: delayed by %v, %v", intent, delay, err)
	}
	if moved, err := ticket.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, failed); moved || err != nil {
		t.Fatalf("%s: moved %v, %v", intent, moved, err)
	}
	return ticket
}

func wantReleased(t *testing.T, f *temporal, tickets ...*claims.Ticket) {
	t.Helper()
	var want []string
	for _, ticket := range tickets {
		want = append(want, ticket.WorkflowID())
	}
	if got := f.released(); !slices.Equal(got, want) {
		t.Errorf("released %v, want %v", got, want)
	}
}

// Delayed starts are released one after the other, each at once when the one
// before it was settled by this gateway.
func TestDelayedStartsAreReleasedInOrder(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		first := g.runs(t, "k1")
		second, third := g.delays(t, "k2", nil), g.delays(t, "k3", nil)
		g.temporal.set(second.WorkflowID(), rollout.RunRunning, "")
		g.temporal.set(third.WorkflowID(), rollout.RunRunning, "")
		pass(30 * time.Minute)
		wantReleased(t, g.temporal)
		if again := g.take(t, "k2", true); again.Step != rollout.StepJoin {
			t.Errorf("a retry: %+v", again.Grant)
		}
		g.temporal.set(first.WorkflowID(), rollout.RunCompleted, "")
		if err := first.Ended(t.Context(), rollout.Run{State: rollout.RunCompleted}); err != nil {
			t.Fatal(err)
		}
		pass(time.Millisecond)
		wantReleased(t, g.temporal, second)
		if c := g.claim(t, "k2"); c.Delayed {
			t.Errorf("%+v", c)
		}
		// Nobody waits for the second: its end is found out.
		pass(time.Minute)
		wantReleased(t, g.temporal, second)
		g.temporal.set(second.WorkflowID(), rollout.RunFailed, "IngestionFailed")
		pass(1100 * time.Millisecond)
		wantReleased(t, g.temporal, second, third)
	})
}

// Whatever ends the predecessor releases the one behind it.
func TestWhatEndsThePredecessorReleases(t *testing.T) {
	for name, end := range map[string]func(*gateway, *claims.Ticket) error{
		"force": func(g *gateway, first *claims.Ticket) error {
			return g.Force(context.Background(), "a", first.Intent, first.Life, rollout.ClaimLost)
		},
		"a tombstone": func(g *gateway, first *claims.Ticket) error {
			g.temporal.mu.Lock()
			defer g.temporal.mu.Unlock()
			g.temporal.fenced[first.WorkflowID()] = true
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			resolving(t, func(t *testing.T, g *gateway) {
				first := g.take(t, "k1", true)
				g.temporal.goAway(errLost)
				_, _ = first.Ran(t.Context(), rollout.Run{}, errLost)
				second := g.delays(t, "k2", nil)
				pass(time.Minute)
				wantReleased(t, g.temporal)
				g.temporal.set(second.WorkflowID(), rollout.RunRunning, "")
				g.temporal.goAway(nil)
				if err := end(g, first); err != nil {
					t.Fatal(err)
				}
				pass(21 * time.Second)
				wantReleased(t, g.temporal, second)
			})
		})
	}
}

// The end of a run that another gateway follows, or nobody, is noticed soon by
// the one that has a delayed start behind it.
func TestPredecessorThatEndsElsewhere(t *testing.T) {
	for _, idle := range []time.Duration{0, 10 * time.Minute} {
		resolving(t, func(t *testing.T, g *gateway) {
			other := newGateway("two", g.records, g.temporal) // its resolver does not run
			first := other.runs(t, "k1")
			second := g.delays(t, "k2", nil)
			g.temporal.set(second.WorkflowID(), rollout.RunRunning, "")
			pass(idle)
			g.temporal.set(first.WorkflowID(), rollout.RunCompleted, "")
			pass(1100 * time.Millisecond)
			wantReleased(t, g.temporal, second)
			if c := g.claim(t, "k1"); c.State != rollout.ClaimDone {
				t.Errorf("%+v", c)
			}
		})
	}
}

// A gateway that dies leaves delayed starts; the survivor releases them, and does
// so again where the record of it is missing.
func TestSurvivorReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := newGateway("dead", newRecords(), newTemporal())
		first := dead.runs(t, "k1")
		second := dead.delays(t, "k2", nil)
		lost := dead.delays(t, "k3", errLost) // its start never arrives
		dead.temporal.set(second.WorkflowID(), rollout.RunRunning, "")
		dead.temporal.set(first.WorkflowID(), rollout.RunCompleted, "")
		if err := dead.temporal.Release(t.Context(), second.WorkflowID()); err != nil { // the last it did
			t.Fatal(err)
		}
		survivor := newGateway("survivor", dead.records, dead.temporal)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = survivor.Run(ctx) }()
		pass(time.Minute)
		wantReleased(t, dead.temporal, second, second)
		if c := survivor.claim(t, "k2"); c.Delayed || !c.Open() {
			t.Errorf("%+v", c)
		}
		if c := survivor.claim(t, "k3"); c.State != rollout.ClaimVoid || !dead.temporal.fenced[lost.WorkflowID()] {
			t.Errorf("%+v", c)
		}
		cancel()
		<-done
	})
}

// A delayed start of unknown fate that arrived is found, and released in its turn.
func TestLostDelayedStartThatArrived(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		first := g.runs(t, "k1")
		second := g.delays(t, "k2", errLost)
		g.temporal.set(second.WorkflowID(), rollout.RunRunning, "")
		pass(time.Second)
		if c := g.claim(t, "k2"); !c.Accepted || !c.Delayed {
			t.Errorf("%+v", c)
		}
		wantReleased(t, g.temporal)
		g.temporal.set(first.WorkflowID(), rollout.RunCompleted, "")
		pass(1100 * time.Millisecond)
		wantReleased(t, g.temporal, second)
	})
}

// A request whose turn comes while it gives up is not delayed.
func TestNothingIsDelayedWithoutAPredecessor(t *testing.T) {
	g := newGateway("one", newRecords(), newTemporal())
	first := g.runs(t, "k1")
	second := g.take(t, "k2", true)
	if err := first.Ended(t.Context(), rollout.Run{State: rollout.RunCompleted}); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Delay(t.Context()); !errors.Is(err, rollout.ErrFirst) {
		t.Errorf("got %v", err)
	}
	if again := g.take(t, "k2", true); again.Step != rollout.StepStart || g.claim(t, "k2").Delayed {
		t.Errorf("%+v", again.Grant)
	}
}
