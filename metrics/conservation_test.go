package metrics_test

import (
	"strings"
	"testing"
	"time"

	"sluice/metrics"
	"sluice/rollout"
)

// What one reading says adds up, for routes that are not configured any more too;
// and nothing is said before there is one.
func TestConservation(t *testing.T) {
	var books rollout.Books
	var read time.Time
	g := metrics.NewGateway(metrics.GatewayConfig{
		Routes: []string{"documents", "images"},
		Books:  func() (rollout.Books, time.Time) { return books, read },
	})
	if page := scrape(t, g.Handler()); strings.Contains(string(page), "rollout_conservation") {
		t.Error("books are shown before they were read")
	}
	post := func(route string, path rollout.Path, state rollout.ClaimState, times uint64) {
		books.PostTimes(rollout.Posting{Route: route, Path: path, State: state}, times)
	}
	post("documents", rollout.Legacy, rollout.ClaimOpen, 100)
	post("documents", rollout.Legacy, rollout.ClaimDone, 30)
	post("documents", rollout.Legacy, rollout.ClaimLost, 2)
	post("documents", rollout.Temporal, rollout.ClaimDone, 40)
	post("documents", rollout.Temporal, rollout.ClaimFailed, 1)
	post("documents", rollout.Temporal, rollout.ClaimDead, 3)
	post("documents", rollout.Temporal, rollout.ClaimLost, 1)
	post("documents", rollout.Temporal, rollout.ClaimVoid, 5)
	books[0].Open = 17
	post("gone", rollout.Legacy, rollout.ClaimOpen, 4)
	read = time.Now().Add(-time.Minute)
	page := string(scrape(t, g.Handler()))
	for _, line := range []string{
		`rollout_conservation{part="accepted",route="documents"} 95`,
		`rollout_conservation{part="legacy",route="documents"} 32`,
		`rollout_conservation{part="temporal",route="documents"} 41`,
		`rollout_conservation{part="in_flight",route="documents"} 17`,
		`rollout_conservation{part="dead_letter",route="documents"} 4`,
		`rollout_conservation_residue{route="documents"} 1`,
		`rollout_conservation_residue{route="images"} 0`,
		`rollout_conservation_residue{route="other"} 4`,
		`rollout_conservation_age_seconds 6`,
	} {
		if !strings.Contains(page, line) {
			t.Errorf("there is no %s", line)
		}
	}
}
