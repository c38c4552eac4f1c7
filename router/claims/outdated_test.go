package claims_test

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/router/claims"
)

// A record that may be older than what was stored proves nothing: an attempt may
// be missing from it.
func TestNothingMovesOnAnOutdatedRecord(t *testing.T) {
	for _, outdated := range []bool{true, false} {
		records := newRecords()
		book := claims.New(claims.Config{
			Store: records, Roll: records, Temporal: newTemporal(), Limit: anHour, Owner: "one", IDs: rollout.WorkflowIDs{Prefix: "ingest"}, LegacyTimeout: time.Second,
			Lease: time.Minute, StoreTimeout: time.Second, Log: zap.NewNop(),
			Observer: &counts{settled: map[rollout.ClaimState]int{}}, Outdated: func() bool { return outdated },
		})
		ticket, err := book.Take(t.Context(), "a", ask("k", true))
		if err != nil {
			t.Fatal(err)
		}
		moved, err := ticket.Ran(t.Context(), rollout.Run{}, rollout.ErrNotAccepted)
		if err != nil || moved == outdated {
			t.Errorf("outdated %v: moved %v, %v", outdated, moved, err)
		}
	}
}
