package router_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"sluice/rollout"
)

// Only what legacy provably did not get may be repeated without a thought.
func TestLegacyWithoutAnAnswer(t *testing.T) {
	for _, row := range []struct {
		name       string
		err        error
		status     int
		slug       string
		retryAfter string
		outcome    rollout.Outcome
	}{
		{"unreachable", fmt.Errorf("dial: %w", rollout.ErrNotAccepted), 502, "legacy-unreachable", "2", rollout.OutcomeRefused},
		{"unreachable in time", fmt.Errorf("%w: %w", rollout.ErrNotAccepted, os.ErrDeadlineExceeded), 502, "legacy-unreachable", "2", rollout.OutcomeRefused},
		{"timeout", fmt.Errorf("read: %w", os.ErrDeadlineExceeded), 504, "legacy-timeout", "", rollout.OutcomeTimeout},
		{"timeout of a context", context.DeadlineExceeded, 504, "legacy-timeout", "", rollout.OutcomeTimeout},
		{"broken", errors.New("connection reset"), 502, "legacy-broken", "", rollout.OutcomeAmbiguous},
		{"canceled by itself", context.Canceled, 502, "legacy-broken", "", rollout.OutcomeAmbiguous},
	} {
		for method, target := range map[string]string{http.MethodPost: "/v1/documents", http.MethodGet: "/other"} {
			t.Run(row.name+" "+method, func(t *testing.T) {
				d := openDoor(t, answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
					return rollout.Result{Status: 200, BytesOut: 99}, row.err
				}))
				got := d.send(method, target, docA)
				got.wantProblem(t, row.status, row.slug, "")
				got.wantFields(t, "Retry-After", row.retryAfter)
				record := d.observer.next()
				if !record.Sent || record.Result.Outcome != row.outcome || record.Result.Status != row.status || !errors.Is(record.Result.Err, row.err) {
					t.Errorf("record %+v", record)
				}
				if got := d.legacy.all(); len(got) != 1 {
					t.Errorf("legacy was tried %d times", len(got))
				}
				if got := d.temporal.all(); len(got) > 0 {
					t.Errorf("Temporal got %+v", got)
				}
			})
		}
	}
}

// Legacy's own answers are the client's, good or bad, and are not repeated.
func TestLegacyAnswers(t *testing.T) {
	for status, outcome := range map[int]rollout.Outcome{
		200: rollout.OutcomeOK, 201: rollout.OutcomeOK, 303: rollout.OutcomeOK, 409: rollout.OutcomeInvalid,
		429: rollout.OutcomeInvalid, 500: rollout.OutcomeFailed, 503: rollout.OutcomeFailed,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			d := openDoor(t, answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
				w.Header().Set("X-Legacy", "a")
				w.WriteHeader(status)
				n, err := w.Write([]byte("text"))
				return rollout.Result{Status: status, Outcome: rollout.OutcomeOfStatus(status), BytesOut: int64(n), Err: err}, nil
			}))
			got := d.post(docA)
			got.want(t, status, "text")
			got.wantFields(t, "X-Legacy", "a", "Rollout-Path", "legacy")
			if record := d.observer.next(); record.Result.Outcome != outcome || record.Result.Status != status || record.Result.BytesOut != 4 {
				t.Errorf("record %+v", record)
			}
			if len(d.legacy.all()) != 1 || len(d.temporal.all()) != 0 {
				t.Error("it was sent again")
			}
		})
	}
}
