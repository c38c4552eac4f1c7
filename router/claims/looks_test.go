package claims_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/rollout"
)

// However many lives are open, Temporal is asked so often and no more.
func TestLooksAreBounded(t *testing.T) {
	resolving(t, func(t *testing.T, g *gateway) {
		for i := range 3000 {
			id := fmt.Sprint("doc-", i)
			ticket, err := g.Take(t.Context(), id, ask("k", true))
			if err != nil {
				t.Fatal(err)
			}
			g.temporal.set(ticket.WorkflowID(), rollout.RunRunning, "")
			if _, err := ticket.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, nil); err != nil {
				t.Fatal(err)
			}
		}
		g.temporal.mu.Lock()
		before := g.temporal.looks
		g.temporal.mu.Unlock()
		pass(10 * time.Second)
		g.temporal.mu.Lock()
		defer g.temporal.mu.Unlock()
		if n := g.temporal.looks - before; n < 500 || n > 1100 {
			t.Errorf("%d looks in ten seconds, of 3000 lives", n)
		}
	})
}
