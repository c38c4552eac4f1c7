package router_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router/breaker"
)

// movable is a door whose exposure a test can change.
type movable struct {
	now atomic.Pointer[rollout.Policy]
}

func (m *movable) to(exposure rollout.Exposure) {
	m.now.Store(rollout.Reading{Rollout: exposure}.Policy(1))
}

func (m *movable) door(s *setup) {
	m.to(rollout.All)
	s.Policy = m.now.Load
}

var errRefused = fmt.Errorf("refused: %w", rollout.ErrNotAccepted)

func TestRetryOfWhatTemporalDidIsReplayed(t *testing.T) {
	var line movable
	d := openDoor(t, line.door)
	d.post(document("a")).wantFields(t, "Rollout-Replayed", "")
	line.to(rollout.None)
	again := d.post(document("a"))
	again.want(t, http.StatusOK, "")
	again.wantFields(t, "Rollout-Replayed", "true", "Rollout-Path", "temporal", "Rollout-Reason", "claim")
	if runs, sent := len(d.temporal.all()), len(d.legacy.all()); runs != 1 || sent != 0 {
		t.Errorf("%d runs, %d at legacy", runs, sent)
	}
	// Another version is another wish: with nothing open it is decided afresh.
	d.post(`{"doc_id":"a","v":2}`).wantFields(t, "Rollout-Path", "legacy")
}

func TestRetryOfWhatLegacyDidGoesToLegacy(t *testing.T) {
	var line movable
	d := openDoor(t, line.door)
	line.to(rollout.None)
	d.post(document("a")).wantFields(t, "Rollout-Path", "legacy")
	line.to(rollout.All)
	d.post(document("a")).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	d.post(document("b")).wantFields(t, "Rollout-Path", "temporal")
}

func TestKeyWithAnotherBodyIsRefused(t *testing.T) {
	d := openDoor(t, at(100))
	d.post(document("a"), "Idempotency-Key", "k").want(t, http.StatusOK, "")
	d.post(`{"doc_id":"a","b":1}`, "Idempotency-Key", "k").wantProblem(t, http.StatusUnprocessableEntity, "key-reused", "")
}

// While one intent is open every intent of the document goes its way.
func TestOpenIntentHoldsItsDocument(t *testing.T) {
	var line movable
	arrived, finish := make(chan struct{}, 1), make(chan struct{})
	d := openDoor(t, line.door, func(s *setup) {
		s.legacy.answer = func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
			select {
			case arrived <- struct{}{}:
				<-finish
			default:
			}
			_, err := io.WriteString(w, "by legacy")
			return rollout.Result{Status: http.StatusOK}, err
		}
	})
	line.to(rollout.None)
	first := make(chan answer, 1)
	go func() { first <- d.post(document("a")) }()
	<-arrived
	line.to(rollout.All)
	arrived <- struct{}{} // the next are not held
	d.post(`{"doc_id":"a","v":2}`).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	d.post(document("b")).wantFields(t, "Rollout-Path", "temporal")
	close(finish)
	<-first
	d.post(`{"doc_id":"a","v":3}`).wantFields(t, "Rollout-Path", "temporal", "Rollout-Reason", "split")
}

func TestFallbackOnProof(t *testing.T) {
	d := openDoor(t, at(100), running(failing(errRefused)))
	got := d.post(document("a"))
	got.want(t, http.StatusOK, "by legacy")
	got.wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "fallback")
	if record := d.observer.next(); record.Decision.Reason != rollout.ReasonFallback || record.Result.Outcome != rollout.OutcomeOK {
		t.Errorf("record %+v", record)
	}
}

// One attempt of unknown fate is enough: the proof of a later one is its own.
func TestNoFallbackWhileAnAttemptIsUnsettled(t *testing.T) {
	var attempts atomic.Int32
	d := openDoor(t, at(100), running(func(context.Context, *rollout.Document, time.Duration) (rollout.Run, error) {
		if attempts.Add(1) == 1 {
			return rollout.Run{}, errors.New("connection reset")
		}
		return rollout.Run{}, errRefused
	}))
	for range 3 {
		d.post(document("a")).wantProblem(t, http.StatusServiceUnavailable, "temporal-ambiguous", "")
	}
	if sent := len(d.legacy.all()); sent != 0 {
		t.Errorf("legacy got it %d times", sent)
	}
}

// A failed life is over: a retry begins the next one on the same path.
func TestRetryAfterAFailureIsTheNextLife(t *testing.T) {
	for _, row := range []struct {
		kind string
		runs int
	}{{"IngestionFailed", 2}, {"DeadLetter", 1}, {rollout.FailureTerminated, 1}, {rollout.FailureBadResult, 1}} {
		t.Run(row.kind, func(t *testing.T) {
			d := openDoor(t, at(100), running(failed(rollout.Failure{Type: row.kind, Status: 500})))
			d.post(document("a"))
			d.post(document("a"))
			got := d.temporal.all()
			if len(got) != row.runs || row.runs == 2 && got[1].doc.Life != got[0].doc.Life+1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// An answer that asks for the request again is not kept for its retries: they begin the
// next life, as legacy would be asked again.
func TestAnAnswerThatInvitesARepeatIsNotReplayed(t *testing.T) {
	for status, runs := range map[int]int{200: 1, 422: 1, 409: 1, 429: 2, 503: 2, 500: 2, 408: 2} {
		for _, fields := range [][]string{nil, {"Idempotency-Key", "k"}} {
			d := openDoor(t, at(100), running(completed(rollout.Answer{Status: status, Header: map[string][]string{"Retry-After": {"1"}}})))
			d.post(document("a"), fields...).want(t, status, "")
			d.post(document("a"), fields...)
			if got := d.temporal.all(); len(got) != runs || runs == 2 && (got[1].doc.Life != got[0].doc.Life+1 || got[1].doc.Intent != got[0].doc.Intent) {
				t.Errorf("%d: %+v", status, got)
			}
		}
	}
}

// Versions of one document run one after the other. One that cannot wait that long
// is started with a delay that outlasts those before it, and answered 202.
func TestVersionsRunInOrder(t *testing.T) {
	d := openDoor(t, at(100), looking(nil))
	d.post(document("a")).want(t, http.StatusAccepted, "")
	for i, version := range []string{`{"doc_id":"a","v":2}`, `{"doc_id":"a","v":3}`} {
		for _, prefer := range []string{"wait=1", "respond-async"} { // the second time it joins its run
			got := d.post(version, "Prefer", prefer)
			got.want(t, http.StatusAccepted, "")
			if got.header.Get("Location") == "" || got.header.Get("Retry-After") == "" {
				t.Errorf("%s: %v", version, got.header)
			}
		}
		runs := d.temporal.all()
		if least := time.Duration(i+1) * time.Hour; len(runs) != i+2 || runs[i+1].doc.Delay < least {
			t.Fatalf("%d starts; the last is delayed by %v, want %v or more", len(runs), runs[len(runs)-1].doc.Delay, least)
		}
	}
	// The first again is a version of its own by now: it stands behind the others.
	d.post(document("a"), "Prefer", "wait=0").want(t, http.StatusAccepted, "")
	if runs := d.temporal.all(); len(runs) != 4 || runs[0].doc.Delay != 0 || runs[3].doc.Delay < 3*time.Hour || runs[3].doc.Intent == runs[0].doc.Intent {
		t.Errorf("%d starts, %+v", len(runs), runs)
	}
	for range 6 {
		if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeAccepted {
			t.Errorf("record %+v", record)
		}
	}
}

// A delayed start that Temporal refused, or that may have arrived, is no 202, and
// does not go to legacy while another version is under way on Temporal.
func TestDelayedStartThatFails(t *testing.T) {
	for _, failure := range []error{errRefused, errors.New("connection reset")} {
		var attempts atomic.Int32
		d := openDoor(t, at(100), looking(nil), func(s *setup) {
			s.temporal.run = func(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error) {
				if attempts.Add(1) > 1 {
					return rollout.Run{}, failure
				}
				return goesOn(ctx, doc, wait)
			}
		})
		d.post(document("a")).want(t, http.StatusAccepted, "")
		d.post(`{"doc_id":"a","v":2}`, "Prefer", "wait=0").wantProblem(t, http.StatusServiceUnavailable, "temporal-ambiguous", "")
		if sent := len(d.legacy.all()); sent != 0 || attempts.Load() != 2 {
			t.Errorf("%v: %d at legacy, %d starts", failure, sent, attempts.Load())
		}
	}
}

func TestOpenBreakerKeepsNewDocumentsAway(t *testing.T) {
	down := breaker.New()
	d := openDoor(t, at(100), func(s *setup) { s.Breaker = down })
	d.post(document("a")).wantFields(t, "Rollout-Path", "temporal")
	for range 5 {
		down.Report(false)
	}
	d.post(document("b")).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "breaker")
	d.post(document("a")).wantFields(t, "Rollout-Path", "temporal", "Rollout-Reason", "claim")
}

// While the workers have not declared what their route asks for, new documents go to
// legacy; what Temporal has is waited for, and its retries too.
func TestUndeclaredWorkersGetNoNewDocuments(t *testing.T) {
	var declared atomic.Bool
	declared.Store(true)
	d := openDoor(t, at(100), func(s *setup) {
		s.WorkersReady = func(route string) bool { return route == "documents" && declared.Load() }
	})
	d.post(document("a")).wantFields(t, "Rollout-Path", "temporal")
	declared.Store(false)
	d.post(document("b")).wantFields(t, "Rollout-Path", "legacy", "Rollout-Reason", "workers")
	d.post(document("a")).wantFields(t, "Rollout-Path", "temporal", "Rollout-Reason", "claim")
	declared.Store(true)
	d.post(document("c")).wantFields(t, "Rollout-Path", "temporal", "Rollout-Reason", "split")
}

// What cannot be put on record goes nowhere.
func TestWithoutARecordNothingIsSent(t *testing.T) {
	for _, percent := range []float64{0, 100} {
		d := openDoor(t, at(percent))
		d.records.breakWith(errors.New("the disk is full"))
		d.post(document("a")).wantProblem(t, http.StatusServiceUnavailable, "claims-unavailable", "")
		if len(d.legacy.all())+len(d.temporal.all()) > 0 {
			t.Errorf("at %v %%: it was sent", percent)
		}
	}
}

// A document that its claim, not the policy, sends to Temporal is authorised too.
func TestClaimDoesNotSlipPastAuthorisation(t *testing.T) {
	var line movable
	var forbidden atomic.Bool
	d := checkedDoor(t, patience, func(w http.ResponseWriter, _ *http.Request) {
		if forbidden.Load() {
			w.WriteHeader(http.StatusForbidden)
		}
	}, line.door, looking(nil))
	d.post(document("a")).want(t, http.StatusAccepted, "")
	line.to(rollout.None)
	forbidden.Store(true)
	d.post(document("a")).want(t, http.StatusForbidden, "")
	d.post(`{"doc_id":"a","v":2}`).want(t, http.StatusForbidden, "")
}
