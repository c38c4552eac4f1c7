package claims_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
)

// A gateway that dies leaves claims at every cut; the survivor settles each.
func TestSurvivorSettlesWhatTheDeadLeft(t *testing.T) {
	for name, cut := range map[string]struct {
		leave func(t *testing.T, dead *gateway)
		want  rollout.ClaimState
	}{
		"claim, no start": {func(t *testing.T, dead *gateway) { dead.take(t, "k", true) }, rollout.ClaimVoid},
		"start, no acknowledgement": {func(t *testing.T, dead *gateway) {
			dead.temporal.set(dead.take(t, "k", true).WorkflowID(), rollout.RunCompleted, "")
		}, rollout.ClaimDone},
		"acknowledgement, no record of the end": {func(t *testing.T, dead *gateway) {
			ticket := dead.take(t, "k", true)
			_, _ = ticket.Ran(t.Context(), rollout.Run{State: rollout.RunRunning}, nil)
			dead.temporal.set(ticket.WorkflowID(), rollout.RunFailed, "IngestionFailed")
		}, rollout.ClaimFailed},
		"sent to legacy": {func(t *testing.T, dead *gateway) { dead.take(t, "k", false) }, rollout.ClaimLost},
		"waiting for a predecessor that was fenced": {func(t *testing.T, dead *gateway) {
			dead.take(t, "k0", true)
			dead.take(t, "k", true)
		}, rollout.ClaimVoid},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dead := newGateway("dead", newRecords(), newTemporal())
				if err := dead.records.Renew(t.Context(), "dead", 3*time.Second); err != nil {
					t.Fatal(err)
				}
				cut.leave(t, dead)
				survivor := newGateway("survivor", dead.records, dead.temporal)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); _ = survivor.Run(ctx) }()
				pass(2 * time.Second)
				if c := survivor.claim(t, "k"); !c.Open() || c.Owner != "dead" {
					t.Errorf("while its lease runs: %+v", c)
				}
				pass(time.Minute)
				if c := survivor.claim(t, "k"); c.State != cut.want {
					t.Errorf("after its lease: %s, want %s (%+v)", c.State, cut.want, c)
				}
				cancel()
				<-done
			})
		})
	}
}

// A request may have been at legacy for as long as its client waited. When its gateway
// dies, legacy may go on with it for its own time limit: not given up before that.
func TestALongRequestIsGivenUpOnlyAfterItsGatewaysDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := newGateway("dead", newRecords(), newTemporal())
		survivor := newGateway("survivor", dead.records, dead.temporal)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = survivor.Run(ctx) }()
		dead.take(t, "k", false)
		for range 60 {
			if err := dead.records.Renew(t.Context(), "dead", 3*time.Second); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		pass(9 * time.Second) // its lease is over, and legacy's limit of 10 s is not
		if c := survivor.claim(t, "k"); !c.Open() {
			t.Errorf("given up %s after a lease of 3 s ended", 9*time.Second-3*time.Second)
		}
		pass(20 * time.Second)
		if c := survivor.claim(t, "k"); c.State != rollout.ClaimLost {
			t.Errorf("in the end it is %s", c.State)
		}
		cancel()
		<-done
	})
}

// A gateway that was taken for dead and lives is taken for dead anew when it is missed
// again: what it has under way is not given up at once.
func TestWhoWasMissedBeforeIsMissedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lives := newGateway("lives", newRecords(), newTemporal())
		other := newGateway("other", lives.records, lives.temporal)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = other.Run(ctx) }()
		ticket := lives.take(t, "k0", false)
		pass(5 * time.Second) // missed for the first time
		for range 60 {
			if err := lives.records.Renew(t.Context(), "lives", 3*time.Second); err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
		}
		if err := ticket.Sent(t.Context(), true, rollout.Ending{}); err != nil {
			t.Fatal(err)
		}
		lives.take(t, "k", false)
		pass(8 * time.Second) // missed again, for less than legacy's limit of 10 s
		if c := other.claim(t, "k"); !c.Open() {
			t.Errorf("%+v", c)
		}
		cancel()
		<-done
	})
}
