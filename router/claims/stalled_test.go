package claims_test

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// A run that does not get on is counted while it does not, told of once, and said of it to
// whoever asks.
func TestARunThatDoesNotGetOnIsToldOf(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		ticket := g.take(t, "k", true)
		id := ticket.WorkflowID()
		g.temporal.set(id, rollout.RunRunning, "")
		if _, err := ticket.Ran(t.Context(), rollout.Run{}, errLost); err != nil {
			t.Fatal(err)
		}
		const why = "its workflow task failed 7 times: oops"
		wants := func(step string, runs, lines int, stalled string) {
			t.Helper()
			pass(time.Minute)
			if g.StalledRuns() != runs || g.logs.FilterField(zap.String("why", why)).Len() != lines {
				t.Errorf("%s: %d runs are stalled, the log has %v", step, g.StalledRuns(), g.logs.All())
			}
			if got := g.Stalled(t.Context(), "documents", "a", "k", ticket.Life); got != stalled {
				t.Errorf("%s: %q", step, got)
			}
		}
		wants("it gets on", 0, 0, "")
		g.temporal.noteStalled(id, why)
		wants("it does not", 1, 1, why)
		wants("nor later", 1, 1, why)
		g.temporal.noteStalled(id, "")
		wants("it does again", 0, 1, "")
		g.temporal.noteStalled(id, why)
		wants("and not again", 1, 2, why)
		g.temporal.set(id, rollout.RunCompleted, "")
		wants("it has ended", 0, 2, "")
	})
}

// Of many only the first is told of.
func TestOfManyRunsThatDoNotGetOnOneIsToldOf(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		var tickets []*claims.Ticket
		for _, docID := range []string{"a", "b", "c"} {
			ticket, err := g.Take(t.Context(), docID, ask("k", true))
			if err != nil {
				t.Fatal(err)
			}
			g.temporal.set(ticket.WorkflowID(), rollout.RunRunning, "")
			g.temporal.noteStalled(ticket.WorkflowID(), "it hangs")
			_, _ = ticket.Ran(t.Context(), rollout.Run{}, errLost)
			tickets = append(tickets, ticket)
		}
		pass(time.Minute)
		if lines := g.logs.FilterField(zap.String("why", "it hangs")).Len(); g.StalledRuns() != 3 || lines != 1 {
			t.Errorf("%d runs are stalled, and %d lines say so", g.StalledRuns(), lines)
		}
		for _, ticket := range tickets {
			g.temporal.set(ticket.WorkflowID(), rollout.RunCompleted, "")
		}
		pass(time.Minute)
		if n := g.StalledRuns(); n != 0 {
			t.Errorf("all have ended, and %d are stalled", n)
		}
	})
}
